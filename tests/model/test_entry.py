"""Entry: maps side by side equal the maps one by one, whole or in parts."""

import torch

from model.entry import Entry

IN_DIMS, PARTS = (3, 0, 5), {"experts": (4, 6), "gate": (2, 4), "hidden": (7,)}


def made() -> tuple[Entry, torch.Tensor]:
    torch.manual_seed(0)
    return Entry(IN_DIMS, PARTS, []), torch.randn(9, sum(IN_DIMS))


def test_every_part_is_a_linear_map_of_the_input() -> None:
    entry, values = made()
    found = entry.apart(entry(values))
    assert {name: one.shape for name, one in found.items()} == {name: (9, *shape) for name, shape in PARTS.items()}
    for name in PARTS:
        weight, bias = entry.parameters_of(name)
        torch.testing.assert_close(found[name], torch.tensordot(values, weight, 1) + bias)
    assert entry.out_dim == 4 * 6 + 2 * 4 + 7


def test_it_is_the_sum_of_what_its_columns_give() -> None:
    entry, values = made()
    parts = (slice(0, 3), slice(3, 3), slice(3, None))
    torch.testing.assert_close(sum(values[:, one] @ entry.rows(one) for one in parts) + entry.bias(), entry(values))


def test_each_input_starts_as_if_it_were_alone() -> None:
    weight = Entry((4, 400), {"hidden": (500,)}, ["hidden"]).weights["hidden"].detach().abs()
    torch.testing.assert_close(weight[:4].max().item(), 4**-0.5, rtol=0.05, atol=0)
    torch.testing.assert_close(weight[4:].max().item(), 400**-0.5, rtol=0.05, atol=0)

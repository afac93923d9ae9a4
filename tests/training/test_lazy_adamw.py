"""A lazy table ends where AdamW with a moving average would have taken it, row by row and step by step."""

import math

import pytest
import torch
from torch import Tensor, nn

from training.averaging import average_decay, follow, log_average_decay
from training.lazy_adamw import LazyAdamW, Rates

NUM_ROWS, DIM, RATE = 40, 4, 0.002
STEPS_FOR_ALL, STEPS_FOR_FEW = 300, 200  # in which every row has a gradient, or two have
AVERAGE = 0.95


def gradients() -> list[tuple[Tensor, Tensor]]:
    """Of each step which rows have one, and that."""
    random = torch.Generator().manual_seed(0)
    every = [torch.arange(NUM_ROWS) for _ in range(STEPS_FOR_ALL)]
    few = [torch.randperm(NUM_ROWS, generator=random)[:2] for _ in range(STEPS_FOR_FEW)]
    return [(rows, 1e-3 * torch.randn(len(rows), DIM, generator=random)) for rows in (*every, *few)]


def tables() -> tuple[nn.Embedding, nn.Embedding]:
    torch.manual_seed(0)
    table, average = nn.Embedding(NUM_ROWS, DIM), nn.Embedding(NUM_ROWS, DIM)
    average.load_state_dict(table.state_dict())
    return table, average


def lazily(decay: float, steps: list[tuple[Tensor, Tensor]]) -> LazyAdamW:
    table, average = tables()
    lazy = LazyAdamW(table, average, Rates(RATE, decay, AVERAGE))
    take(lazy, steps)
    return lazy


def take(lazy: LazyAdamW, steps: list[tuple[Tensor, Tensor]]) -> None:
    for rows, gradient in steps:
        lent = lazy.lend(rows)
        lent.weight.grad = gradient
        lazy.take(lent)


@pytest.mark.parametrize("decay", [0.0, 0.004, 1 - 0.9 / 0.999**0.5])
def test_it_is_adamw_on_the_whole_table(decay: float) -> None:
    """The last decay is what leaves as much of a row as its momentum has left of itself."""
    table, average = tables()
    adamw = torch.optim.AdamW(table.parameters(), lr=RATE, weight_decay=decay / RATE)
    for step, (rows, gradient) in enumerate(gradients(), 1):
        table.weight.grad = torch.zeros(NUM_ROWS, DIM).index_copy(0, rows, gradient)
        adamw.step()
        follow([average.weight], [table.weight], average_decay(AVERAGE, step))
    lazy = lazily(decay, gradients())
    lazy.catch_up()
    torch.testing.assert_close(lazy.weight, table.weight.detach(), rtol=0, atol=2e-4)
    assert lazy.average is not None
    torch.testing.assert_close(lazy.average, average.weight.detach(), rtol=0, atol=2e-4)
    first = adamw.state[table.weight]["exp_avg"]
    torch.testing.assert_close(lazy.moments[:, 0], first, rtol=1e-4, atol=1e-8)


def test_a_row_that_is_never_touched_only_decays() -> None:
    decay, steps = 0.01, [(torch.tensor([1]), torch.ones(1, DIM))] * 50
    table, average = tables()
    lazy = lazily(decay, steps)
    lazy.catch_up()
    torch.testing.assert_close(lazy.weight[2:], table.weight.detach()[2:] * (1 - decay) ** 50)
    weight, followed = 1.0, 1.0
    for step in range(1, 51):
        weight *= 1 - decay
        followed += (weight - followed) * (1 - average_decay(AVERAGE, step))
    assert lazy.average is not None
    # The average is short at first, and is taken for as short on the whole.
    torch.testing.assert_close(lazy.average[2:], average.weight.detach()[2:] * followed, rtol=0.05, atol=0)


def test_what_it_did_not_touch_stays_as_it_is_until_it_is_asked_for() -> None:
    table, _ = tables()
    before = table.weight.detach().clone()
    lazy = lazily(0.01, [(torch.tensor([1, 3]), torch.ones(2, DIM))])
    changed = (lazy.weight != before).any(1)
    assert changed.nonzero().flatten().tolist() == [1, 3]
    lazy.catch_up()
    assert (lazy.weight != before).any(1).all()


def test_from_its_state_it_goes_on_bit_for_bit() -> None:
    steps = gradients()
    whole, begun = lazily(0.004, steps), lazily(0.004, steps[:350])
    table, average = tables()
    again = LazyAdamW(table, average, Rates(RATE, 0.004, AVERAGE))
    again.weight.copy_(begun.weight)
    again.average.copy_(begun.average)  # type: ignore[union-attr]
    again.load_state_dict(begun.state_dict(), num_steps=350)
    take(again, steps[350:])
    for one, other in ((whole.weight, again.weight), (whole.average, again.average), (whole.moments, again.moments)):
        assert torch.equal(one, other)  # type: ignore[arg-type]


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_the_closed_form_of_what_an_average_keeps(decay: float) -> None:
    steps = torch.tensor([1, 2, 5, 9, 40, 12_000])
    product = [sum(math.log(average_decay(decay, step)) for step in range(1, last + 1)) for last in steps.tolist()]
    found = log_average_decay(decay, steps)
    torch.testing.assert_close(found - found[0], torch.tensor(product, dtype=torch.float64) - product[0])

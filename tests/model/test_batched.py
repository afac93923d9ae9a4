"""Many networks in one product equal the same networks one after another."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from model.batched import BatchedMLP

NETWORKS, BATCH = 3, 7


def one_after_another(networks: BatchedMLP, values: Tensor, last_linear: bool) -> Tensor:
    outputs = []
    for index in range(NETWORKS):
        hidden = values if values.dim() == 2 else values[:, index]
        for layer, (weight, bias) in enumerate(zip(networks.weights, networks.biases, strict=True)):
            hidden = functional.linear(hidden, weight[index].T, bias[index])
            if not last_linear or layer < len(networks.weights) - 1:
                hidden = torch.relu(hidden)
        outputs.append(hidden)
    return torch.stack(outputs, 1)


@pytest.mark.parametrize("units", [(5, 4), (5, 6, 4), (5, 6, 2, 1)])
@pytest.mark.parametrize("last_linear", [False, True])
@pytest.mark.parametrize("shape", [(BATCH, 5), (BATCH, NETWORKS, 5)])
def test_it_equals_a_loop(units: tuple[int, ...], last_linear: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    networks, values = BatchedMLP(NETWORKS, units, last_linear=last_linear), torch.randn(shape)
    found = networks(values)
    assert found.shape == (BATCH, NETWORKS, units[-1])
    torch.testing.assert_close(found, one_after_another(networks, values, last_linear))


@pytest.mark.parametrize("given", [(), (3,), (3, 2)])
def test_counted_along_two_axes_it_equals_a_loop_over_both(given: tuple[int, ...]) -> None:
    """The input is one for all, one for each of the first axis, or one for each network."""
    torch.manual_seed(0)
    networks, values = BatchedMLP((3, 2), (5, 6, 4)), torch.randn(BATCH, *given, 5)
    found = networks(values)
    assert found.shape == (BATCH, 3, 2, 4)
    each = values.view(BATCH, *given, *[1] * (2 - len(given)), 5).expand(BATCH, 3, 2, 5)
    for i in range(3):
        for j in range(2):
            hidden = each[:, i, j]
            for weight, bias in zip(networks.weights, networks.biases, strict=True):
                hidden = torch.relu(functional.linear(hidden, weight[i, j].T, bias[i, j]))
            torch.testing.assert_close(found[:, i, j], hidden)


def test_it_starts_as_torchs_own_linear_layers_do() -> None:
    torch.manual_seed(0)
    networks = BatchedMLP(50, (16, 64, 4))
    for (fan_in, _), weight, bias in zip(pairwise((16, 64, 4)), networks.weights, networks.biases, strict=True):
        for parameter in (weight, bias):
            bound = fan_in**-0.5
            assert 0.95 * bound < parameter.abs().max() <= bound


def test_dropout_follows_every_relu_in_training_only() -> None:
    torch.manual_seed(0)
    networks, values = BatchedMLP(NETWORKS, (5, 200), dropout=0.5), torch.randn(50, 5)
    whole = networks.eval()(values)
    dropped = networks.train()(values)
    kept = (dropped != 0)[whole != 0]
    assert 0.45 < kept.float().mean() < 0.55
    torch.testing.assert_close(dropped[dropped != 0], 2 * whole[dropped != 0])

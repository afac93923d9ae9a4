"""Sluice: cross-stitch over subspaces, a mixture of layers, subspaces that are kept apart."""

import pytest
import torch

from model.sharing.sluice import Sluice, SluiceConfig
from tests.model.sharing.plain import network, rows

IN_DIM, TASKS, SUBSPACES, UNITS, LAYERS = 5, 3, 2, 4, 3


def make(orthogonality: float = 0.01) -> Sluice:
    torch.manual_seed(0)
    config = SluiceConfig(num_layers=LAYERS, num_subspaces=SUBSPACES, subspace_units=UNITS, orthogonality=orthogonality)
    sluice = config.build(IN_DIM, TASKS)
    for stitch in sluice.stitches:
        torch.nn.init.normal_(stitch.alpha)
    torch.nn.init.normal_(sluice.beta)
    return sluice


def test_alpha_mixes_subspaces_and_beta_layers() -> None:
    sluice, hidden = make(), rows(7, IN_DIM)
    held, layers = [hidden] * TASKS, []
    places = [(task, part) for task in range(TASKS) for part in range(SUBSPACES)]
    for layer, stitch in zip(sluice.layers, sluice.stitches, strict=True):
        put_out = {place: network(layer, place, held[place[0]]) for place in places}
        mixed = {to: sum(stitch.alpha[(*to, *of)] * put_out[of] for of in places) for to in places}
        held = [torch.cat([mixed[task, part] for part in range(SUBSPACES)], 1) for task in range(TASKS)]
        layers.append(held)
    found = sluice(hidden)
    for task in range(TASKS):
        expected = sum(sluice.beta[at, task] * layers[at][task] for at in range(LAYERS))
        torch.testing.assert_close(found[:, task], expected)


def test_the_penalty_is_the_frobenius_norm_of_products_of_subspaces() -> None:
    sluice = make(orthogonality=0.5)
    products = [
        layer.weights[0][task, 0].T @ layer.weights[0][task, 1] for layer in sluice.layers for task in range(TASKS)
    ]
    expected = 0.5 * sum(torch.linalg.matrix_norm(one) ** 2 for one in products)
    torch.testing.assert_close(sluice.penalty(), expected)


def test_the_penalty_is_nothing_where_subspaces_are_orthogonal() -> None:
    sluice = make(orthogonality=1.0)
    with torch.no_grad():
        for layer in sluice.layers:
            layer.weights[0].zero_()
            layer.weights[0][:, 0, 0, :] = 1.0  # the subspaces read different inputs
            layer.weights[0][:, 1, 1, :] = 1.0
    assert sluice.penalty() == 0


def test_one_subspace_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        SluiceConfig(num_subspaces=1)

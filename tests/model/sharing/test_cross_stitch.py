"""Cross-stitch: layer by layer, each task's network mixed with the others."""

import torch

from model.sharing.cross_stitch import CrossStitchConfig
from tests.model.sharing.plain import network, rows

IN_DIM, TASKS = 5, 3


def test_every_layer_is_followed_by_equation_1_of_the_paper() -> None:
    torch.manual_seed(0)
    sharing, hidden = CrossStitchConfig(units=(6, 4)).build(IN_DIM, TASKS), rows(7, IN_DIM)
    held = [hidden] * TASKS
    for layer, stitch in zip(sharing.layers, sharing.stitches, strict=True):
        torch.nn.init.normal_(stitch.alpha)
        put_out = [network(layer, task, held[task]) for task in range(TASKS)]
        held = [torch.stack([stitch.alpha[i, j] * put_out[j] for j in range(TASKS)]).sum(0) for i in range(TASKS)]
    torch.testing.assert_close(sharing(hidden), torch.stack(held, 1))


def test_with_alphas_of_the_identity_the_networks_are_on_their_own() -> None:
    torch.manual_seed(0)
    sharing, hidden = CrossStitchConfig(units=(6, 4)).build(IN_DIM, TASKS), rows(7, IN_DIM)
    for stitch in sharing.stitches:
        torch.nn.init.eye_(stitch.alpha)
    for task in range(TASKS):
        alone = network(sharing.layers[1], task, network(sharing.layers[0], task, hidden))
        torch.testing.assert_close(sharing(hidden)[:, task], alone)

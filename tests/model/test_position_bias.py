"""The position-bias tower explains what was seen in training, and is silent about position at serving."""

import pytest
import torch
from pydantic import ValidationError

from model.position_bias import PositionBias, PositionBiasConfig
from tests.model.builders import full_schema, make_arrays, make_encoder, make_ranker, tensors

SIZES = {"position": 12, "device": 4}
NUM_TASKS, BATCH = 3, 40


def make_bias(*features: str, dropout: float = 0.1) -> PositionBias:
    torch.manual_seed(0)
    schema = full_schema(bias=features)
    bias = PositionBias(schema, SIZES, NUM_TASKS, PositionBiasConfig(features=features, dropout=dropout)).eval()
    torch.nn.init.normal_(bias.cross.weights[-1])
    return bias


def codes(num_rows: int = BATCH, position: int | None = None) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    arrays = {name: torch.randint(1, size, (num_rows,), generator=random) for name, size in SIZES.items()}
    return arrays if position is None else arrays | {"position": torch.full((num_rows,), position)}


def test_it_starts_as_no_bias_at_all() -> None:
    bias = PositionBias(full_schema(), SIZES, NUM_TASKS, PositionBiasConfig(features=("position", "device")))
    assert not bias(codes(), as_logged=True).any()


def test_it_crosses_its_features() -> None:
    bias = make_bias("position", "device")
    grid = {"position": torch.tensor([1, 1, 2, 2]), "device": torch.tensor([1, 2, 1, 2])}
    with_1, with_2, other_1, other_2 = bias(grid, as_logged=True)
    assert (with_1 - with_2 - (other_1 - other_2)).abs().max() > 1e-4


def test_at_serving_position_is_missing_whatever_the_arrays_hold() -> None:
    bias = make_bias("position", "device")
    served = bias(codes(), as_logged=False)
    torch.testing.assert_close(served, bias(codes(position=0), as_logged=True))
    torch.testing.assert_close(served, bias({"device": codes()["device"]}, as_logged=False))
    assert not torch.allclose(served, bias(codes(), as_logged=True))
    assert bias.known_names == ["device"]


def test_where_nothing_is_known_at_serving_one_row_stands_for_all() -> None:
    bias = make_bias("position")
    assert bias({}, as_logged=False).shape == (1, NUM_TASKS)
    assert bias.known_names == []


def test_position_is_hidden_as_often_as_told_in_training_only() -> None:
    num_rows, dropout = 4_000, 0.3
    bias, arrays = make_bias("position", "device", dropout=dropout), codes(4_000, position=5)
    seen, hidden = bias(arrays, as_logged=True), bias(arrays, as_logged=False)
    drawn = bias.train()(arrays, as_logged=True)
    is_hidden = (drawn == hidden).all(1)
    torch.testing.assert_close(drawn, torch.where(is_hidden.unsqueeze(1), hidden, seen))
    assert abs(is_hidden.float().mean() - dropout) < 4 * (dropout * (1 - dropout) / num_rows) ** 0.5


def test_it_is_added_to_the_logits_of_every_task() -> None:
    encoder = make_encoder(full_schema())
    ranker, arrays = make_ranker(encoder), tensors(make_arrays(encoder, BATCH))
    with torch.no_grad():
        logged, bias = ranker(arrays, as_logged=True), ranker.bias_logits(arrays, as_logged=True)
        ranker.position_bias = None
        torch.testing.assert_close(logged, ranker(arrays) + bias)
    assert bias.abs().max() > 0.01


def test_a_position_that_is_never_missing_in_training_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        PositionBiasConfig(features=("position",), dropout=0.0)

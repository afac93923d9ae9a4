"""The whole network: rows on their own, predictions in bounds, position known in training alone."""

import numpy as np
import pytest
import torch

from model.ranker import MultiTaskRanker, RankerConfig
from tests.model.builders import (
    SCALES,
    TASKS,
    full_schema,
    make_arrays,
    make_encoder,
    make_ranker,
    one_request,
    tensors,
)

BATCH = 20
ENCODER = make_encoder(full_schema())
UNBIASED = make_encoder(full_schema(without=("position",), bias=()))


@pytest.fixture
def ranker() -> MultiTaskRanker:
    return make_ranker(ENCODER)


@torch.no_grad()
def test_candidates_are_ranked_whatever_their_order_and_company(ranker: MultiTaskRanker) -> None:
    batch, order = tensors(one_request(ENCODER, BATCH)), torch.randperm(BATCH)
    whole = ranker.predict(batch)
    assert whole.shape == (BATCH, len(TASKS))
    torch.testing.assert_close(ranker.predict({name: array[order] for name, array in batch.items()}), whole[order])
    alone = [ranker.predict({name: array[at : at + 1] for name, array in batch.items()}) for at in range(BATCH)]
    torch.testing.assert_close(torch.cat(alone), whole)


@torch.no_grad()
def test_predictions_are_in_their_tasks_bounds_and_tell_candidates_apart(ranker: MultiTaskRanker) -> None:
    predictions = ranker.predict(tensors(make_arrays(ENCODER, 200)))
    for column, task in zip(predictions.T, TASKS, strict=True):
        assert task.bounds[0] <= column.min() < column.max() <= task.bounds[1]


@torch.no_grad()
def test_position_moves_the_logits_of_what_was_logged_and_no_prediction(ranker: MultiTaskRanker) -> None:
    arrays = make_arrays(ENCODER, BATCH)
    first, second = (tensors(arrays | {"position": np.full(BATCH, code, dtype=np.int32)}) for code in (2, 3))
    assert not torch.isclose(ranker(first), ranker(second)).any()
    torch.testing.assert_close(ranker.predict(first), ranker.predict(second))
    del first["position"]
    torch.testing.assert_close(ranker.predict(first), ranker.predict(second))


@torch.no_grad()
def test_without_a_bias_tower_logged_and_served_logits_are_one() -> None:
    ranker, batch = make_ranker(UNBIASED, position_bias=None), tensors(make_arrays(UNBIASED, BATCH))
    torch.testing.assert_close(ranker(batch, as_logged=True), ranker(batch, as_logged=False))


def test_a_gradient_reaches_every_parameter(ranker: MultiTaskRanker) -> None:
    batch = tensors(make_arrays(ENCODER, 200))
    (ranker.train()(batch) * torch.randn(200, len(TASKS))).sum().backward()
    silent = [name for name, one in ranker.named_parameters() if one.grad is None or not one.grad.any()]
    assert silent == []


@torch.no_grad()
def test_a_fresh_ranker_predicts_about_the_means() -> None:
    torch.manual_seed(0)
    tables = ENCODER.schema.tables(ENCODER.fitted)
    ranker = MultiTaskRanker(RankerConfig(), ENCODER.schema, tables, TASKS, SCALES).eval()
    transformed = ranker.calibration.transformed(ranker(tensors(make_arrays(ENCODER, 500)))).mean(0)
    expected = [float(torch.logit(torch.tensor(SCALES[0].mean))), 2.0, float(torch.logit(torch.tensor(0.05))), 3.5]
    torch.testing.assert_close(transformed, torch.tensor(expected), rtol=0, atol=0.35)


@torch.no_grad()
def test_dropout_is_for_training_alone() -> None:
    ranker = make_ranker(ENCODER, network={"embedding_dim": 4, "hidden_units": 12, "tower_units": [6], "dropout": 0.5})
    batch = tensors(make_arrays(ENCODER, BATCH))
    assert torch.equal(ranker(batch), ranker(batch))
    assert not torch.equal(ranker.train()(batch), ranker(batch))


@pytest.mark.parametrize("encoder", [ENCODER, UNBIASED], ids=["with bias", "without bias"])
def test_all_of_it_moves_to_another_device(encoder: object) -> None:
    options = {} if encoder is ENCODER else {"position_bias": None}
    ranker = make_ranker(encoder, **options).to("meta")
    batch = {name: array.to("meta") for name, array in tensors(make_arrays(encoder, BATCH)).items()}
    assert ranker.predict(batch).device.type == "meta"
    assert ranker(batch).device.type == "meta"


def test_the_config_names_the_class_of_its_sharing() -> None:
    assert RankerConfig.model_validate({"sharing": {"kind": "shared_bottom"}}).sharing.kind == "shared_bottom"
    with pytest.raises(ValueError, match="'shared_bottom', 'one_gate', 'mmoe'"):
        RankerConfig.model_validate({"sharing": {"kind": "moe"}})

"""The first layer in three parts equals the one linear layer of everything side by side."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from model.contract.features.interface import Arrays, ArraySpec
from model.contract.schema import FeatureSchema
from model.entry import Entry, shaped
from model.inputs import Batch, Inputs, module_name
from model.ranker import HIDDEN
from tests.model.builders import (
    TASKS,
    full_schema,
    make_arrays,
    make_encoder,
    make_ranker,
    make_schema,
    one_request,
    tensors,
)

BATCH = 30
MATCHES = ("same_author", "same_tag")
SCHEMA = full_schema()
ENCODER = make_encoder(SCHEMA)
SCHEMAS = {
    "everything": SCHEMA,
    "without matches": full_schema(MATCHES),
    "without attention": full_schema(recent={"attention": 0}),
    "without pairs": full_schema(MATCHES, recent={"attention": 0}),
}


def inputs_of(schema: FeatureSchema = SCHEMA) -> tuple[Inputs, Entry, Arrays]:
    encoder = make_encoder(schema)
    ranker = make_ranker(encoder)
    return ranker.inputs.copies[0], ranker.hidden[0], make_arrays(encoder, BATCH)


def half_of_request(inputs: Inputs) -> Callable[[Batch, Entry], Tensor]:
    return lambda batch, entry: inputs.of_request(batch, entry)[0]


def column(inputs: Inputs, spec: ArraySpec, values: np.ndarray) -> Tensor:
    """One row's array as the network should see it: as it is and in pieces, its vector, or the mean of its vectors."""
    if spec.table is None:
        plain = torch.from_numpy(values)
        return (
            torch.cat([plain, inputs.piecewise[module_name(spec.name)](plain[None])[0]]) if spec.quantities else plain
        )
    table = inputs.embeddings.table(spec.table)
    if values.ndim == 0:
        return table[int(values)]
    known = [table[code] for code in values.tolist() if code > 0]
    return torch.stack(known).mean(0) if known else torch.zeros(table.shape[1])


def pairs(inputs: Inputs, name: str, arrays: Arrays, row: int) -> tuple[Tensor, Tensor, Tensor]:
    """One row's history as the network should see it: videos, outcomes and which are there."""
    one = inputs.schema.histories[name]
    videos = inputs.embeddings.table(one.of)[arrays[name][row]]
    outcomes, present = torch.from_numpy(arrays[one.outcomes_name][row]), torch.from_numpy(arrays[name][row] > 0)
    return videos[None], outcomes[None], present[None]


@torch.no_grad()
@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_parts_equal_one_linear_layer_of_the_concatenation(schema: FeatureSchema) -> None:
    inputs, entry, arrays = inputs_of(schema)
    assert (inputs.in_dims[-1] == 0) == (schema is SCHEMAS["without pairs"])
    whole = []
    for row in range(BATCH):
        request, candidate, pair = (
            [column(inputs, spec, arrays[spec.name][row]) for spec in specs]
            for specs in (inputs.request_specs, inputs.candidate_specs, inputs.pair_specs)
        )
        for name in inputs.schema.histories:
            read = pairs(inputs, name, arrays, row)
            request.append(inputs.histories[module_name(name)](*read)[0])
            if module_name(name) in inputs.attentions:
                attention, query = inputs.attentions[module_name(name)], inputs.queries(torch.cat(candidate))
                pair.append(attention(query[None], attention.memory(*read))[0])
        whole.append(torch.cat([*request, *candidate, *pair]))
    batch = tensors(arrays)
    half, memories = inputs.of_request(batch, entry)
    total = shaped(half + inputs.candidate_half(batch, entry), inputs.parts(entry))
    assert [*inputs.rectified(entry)] == ([] if inputs.has_pairs else [HIDDEN])
    total |= {name: torch.relu(total[name]) for name in inputs.rectified(entry)}
    [found] = inputs.entered(total, memories, batch, entry).values()
    torch.testing.assert_close(found, torch.relu(entry(torch.stack(whole))), rtol=1e-5, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(("kind", "hidden_units"), [("mmoe", 16), ("independent", 16), ("mmoe", None)])
def test_one_request_half_serves_all_candidates(kind: str, hidden_units: int | None) -> None:
    network = {"embedding_dim": 4, "hidden_units": hidden_units}
    ranker = make_ranker(ENCODER, sharing={"kind": kind}, network=network).eval()
    bias = torch.zeros(1, len(TASKS))
    batch = tensors(one_request(ENCODER, BATCH))
    first = {name: array[:1] for name, array in batch.items()}
    candidates = ranker.candidate_half(batch)

    def logits(request: Batch) -> Tensor:
        half, memories = ranker.of_request(request)
        return ranker.logits(ranker.apart(half + candidates), memories, bias, batch)

    torch.testing.assert_close(logits(first), logits(batch))


@torch.no_grad()
def test_a_set_is_pooled_in_any_order() -> None:
    inputs, entry, arrays = inputs_of()
    turned = arrays | {name: arrays[name][:, ::-1].copy() for name in ("tags", "watching_tags")}
    assert (turned["tags"] != arrays["tags"]).any()
    for half in (inputs.candidate_half, half_of_request(inputs)):
        torch.testing.assert_close(half(tensors(turned), entry), half(tensors(arrays), entry))


@torch.no_grad()
def test_each_half_reads_its_own_side_and_never_the_position_or_hidden_keys() -> None:
    inputs, entry, arrays = inputs_of()
    sides = {"request": inputs.request_names, "candidate": inputs.candidate_names, "pair": inputs.pair_names}
    halves = {"request": half_of_request(inputs), "candidate": inputs.candidate_half}
    for side, half in halves.items():
        half({name: tensors(arrays)[name] for name in sides[side]}, entry)
    read = [name for names in sides.values() for name in names]
    unread = {spec.name for spec in inputs.schema.specs.values() if spec.hidden} | {"position"}
    assert sorted(read) == sorted(set(inputs.schema.specs) - unread)


def test_a_hidden_feature_feeds_its_match_and_nothing_else() -> None:
    schema = full_schema()
    authors = schema.columns["author"].model_copy(update={"hidden": True})
    features = tuple(authors if one.name == "author" else one for one in schema.features)
    hiding = make_encoder(FeatureSchema(features=features, bias=schema.bias))
    assert hiding.schema.mistakes() == []
    inputs = make_ranker(hiding).inputs.copies[0]
    assert "author" not in inputs.candidate_names and "author" not in inputs.embeddings.sizes
    np.testing.assert_array_equal(
        make_arrays(hiding, BATCH)["same_author"], make_arrays(make_encoder(full_schema()), BATCH)["same_author"]
    )


def test_features_that_share_a_vocabulary_share_an_embedding() -> None:
    inputs, entry, arrays = inputs_of()
    batch = tensors(arrays)
    for half, names in ((half_of_request(inputs), {"watching", "recent"}), (inputs.candidate_half, {"video_id"})):
        inputs.zero_grad()
        half(batch, entry).sum().backward()
        table = inputs.embeddings.slots["video_id"]
        gradient = inputs.embeddings.fused[table.fused].weight.grad[table.start :]
        used = {code for name in names for code in batch[name].flatten().tolist()}
        assert {row for row, values in enumerate(gradient) if values.any()} >= used - {0}


@pytest.mark.parametrize("name", ["type", "values", "items", "keys", "half", "training", "forward", "weight"])
def test_a_feature_may_have_any_name(name: str) -> None:
    schema = make_schema(
        {"name": "video_id", "kind": "category", "side": "candidate"},
        {"name": name, "kind": "number", "side": "context", "bins": 3},
        {"name": f"{name}_", "kind": "category", "side": "context", "shares": "video_id"},
    )
    encoder = make_encoder(schema)
    ranker = make_ranker(encoder, position_bias=None)
    assert ranker.predict(tensors(make_arrays(encoder, 3))).isfinite().all()


def test_a_history_may_have_any_name() -> None:
    schema = make_schema(
        {"name": "values", "kind": "category", "side": "candidate"},
        {"name": "items", "kind": "history", "side": "user", "of": "values", "outcomes": ["click", "like"]},
    )
    inputs = Inputs(schema, {"values": make_encoder(full_schema()).schema.tables(ENCODER.fitted)["video_id"]}, {}, 4)
    assert [*inputs.request_names, *inputs.candidate_names] == ["items.summary", "items", "items.outcomes", "values"]

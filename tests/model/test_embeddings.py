"""Fused tables read as if each lay by itself."""

import torch
from torch.nn import functional

from model.embeddings import Embeddings

SIZES = {"video": (5, 4), "tag": (3, 2), "author": (6, 4)}
ARRAYS = {"video_id": "video", "watching": "video", "author_id": "author", "tags": "tag"}
BATCH = {
    "video_id": torch.tensor([4, 0, 1]),
    "watching": torch.tensor([2, 2, 3]),
    "author_id": torch.tensor([5, 1, 0]),
    "tags": torch.tensor([[1, 2], [0, 0], [2, 1]]),
}


def test_tables_of_one_dimension_lie_in_one() -> None:
    embeddings = Embeddings(SIZES, ARRAYS)
    assert sorted(tuple(one.weight.shape) for one in embeddings.fused.values()) == [(3, 2), (11, 4)]
    assert {name: tuple(embeddings.table(name).shape) for name in SIZES} == SIZES


def test_every_array_reads_its_own_table() -> None:
    embeddings = Embeddings(SIZES, ARRAYS)
    for name, codes in BATCH.items():
        assert torch.equal(embeddings.vectors(BATCH, name), functional.embedding(codes, embeddings.table(ARRAYS[name])))


def test_side_by_side_they_keep_their_order() -> None:
    embeddings, names = Embeddings(SIZES, ARRAYS), ["author_id", "video_id", "watching"]
    found = torch.cat(list(embeddings.side_by_side(BATCH, names)), 1)
    assert torch.equal(found, torch.cat([embeddings.vectors(BATCH, name) for name in names], 1))


def test_apart_they_are_the_same_weights_not_copied() -> None:
    embeddings = Embeddings(SIZES, ARRAYS)
    apart = embeddings.apart()
    assert {tuple(one.weight.shape) for one in apart.fused.values()} == set(SIZES.values())
    for name in BATCH:
        assert torch.equal(apart.vectors(BATCH, name), embeddings.vectors(BATCH, name))
    for name in SIZES:
        assert apart.table(name).data_ptr() == embeddings.table(name).data_ptr()

"""The rows that a batch touches, each once, and where in them every code is."""

import torch

from model.embeddings import Embeddings
from training.touched import RowFinder

SIZES = {"video": (50, 4), "author": (20, 4), "tag": (10, 3)}
ARRAYS = {"video_id": "video", "recent": "video", "author": "author", "tags": "tag"}


def arrays(seed: int) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    shapes = {"video_id": (30,), "recent": (30, 5), "author": (30,), "tags": (30, 2)}
    return {
        name: torch.randint(SIZES[ARRAYS[name]][0], shape, generator=random, dtype=torch.int32)
        for name, shape in shapes.items()
    }


def test_rows_are_found_once_and_places_lead_to_them() -> None:
    embeddings = Embeddings(SIZES, ARRAYS)
    finder = RowFinder(embeddings)
    for seed in range(3):
        batch = arrays(seed)
        touched = finder.find(batch)
        for rows in touched.rows.values():
            assert len(rows.unique()) == len(rows)
        for name, codes in batch.items():
            slot = embeddings.slots[name]
            assert torch.equal(touched.rows[slot.fused][touched.places[name].long()], codes + slot.start)
        wanted = {name: {slot.fused for slot in [embeddings.slots[name]]} for name in ARRAYS}
        assert set(touched.rows) == set().union(*wanted.values())
        assert sum(map(len, touched.rows.values())) == sum(
            len(torch.cat([batch[name].flatten() for name in ARRAYS if ARRAYS[name] == table]).unique())
            for table in SIZES
        )


def test_lent_rows_give_the_same_vectors_and_take_the_gradient() -> None:
    embeddings, batch = Embeddings(SIZES, ARRAYS), arrays(0)
    touched = RowFinder(embeddings).find(batch)

    def read() -> torch.Tensor:
        parts = [*embeddings.side_by_side(batch, ["video_id", "author"]), embeddings.vectors(batch, "recent").sum(1)]
        return torch.cat([*parts, embeddings.vectors(batch, "tags").sum(1)], 1)

    whole = read()
    weight = torch.randn_like(whole)
    (whole * weight).sum().backward()
    rows = {name: embeddings.fused[name].weight.detach()[some].requires_grad_() for name, some in touched.rows.items()}
    embeddings.lend(rows, touched.places)
    assert torch.equal(read(), whole)
    (read() * weight).sum().backward()
    for name, some in touched.rows.items():
        torch.testing.assert_close(rows[name].grad, embeddings.fused[name].weight.grad[some])  # type: ignore[index]
    embeddings.lend({}, {})
    assert read().grad_fn is not None

"""load_ranker(): refuses every kind of damage, and says what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model.contract.bundle import MANIFEST, read_manifest, seal
from model.contract.mistakes import InputError
from service.registry.loading import load_ranker
from tests.service.small_bundle import VERSION


@pytest.fixture
def folder(own_registry: Path) -> Path:
    return own_registry / "versions" / VERSION


def truncated(folder: Path) -> None:
    path = folder / "graphs" / "rank.onnx"
    path.write_bytes(path.read_bytes()[:-100])


def flipped(folder: Path) -> None:
    path = folder / "halves" / "values.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def missing_file(folder: Path) -> None:
    (folder / "users" / "ids.words.npy").unlink()


def extra_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("?")


def no_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def cut_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text()[:-50])


def future_format(folder: Path) -> None:
    raw = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(raw | {"format_version": 99}))


def unknown_kind(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text().replace('"vector"', '"tensor"'))


def golden(folder: Path, change: Callable[[list[dict[str, dict[str, dict[str, float]]]]], object]) -> None:
    """Changed and sealed again: the checksums are right, the content is not."""
    path = folder / "golden.json"
    cases = json.loads(path.read_text())
    change(cases)
    path.write_text(json.dumps(cases))
    manifest = read_manifest(folder)
    (folder / MANIFEST).unlink()
    seal(folder, manifest)


def other_predictions(folder: Path) -> None:
    golden(folder, lambda cases: cases[0]["predictions"]["v3"].update(click=0.5))


def other_request(folder: Path) -> None:
    golden(folder, lambda cases: cases[0]["request"].update(context={"planet": "mars"}))


def no_golden(folder: Path) -> None:
    golden(folder, lambda cases: cases.clear())


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (truncated, r"rank\.onnx: expected \d+ bytes, found \d+ bytes"),
        (flipped, r"halves/values\.npy: expected the sha256 of the manifest"),
        (missing_file, r"users/ids\.words\.npy: expected a file that the manifest names, found none"),
        (extra_file, r"notes\.txt: expected only files that the manifest names"),
        (no_manifest, r"expected a bundle with a manifest\.json, found none"),
        (cut_manifest, r"manifest\.json: expected a JSON document"),
        (future_format, r"format_version: expected 6, found 99"),
        (unknown_kind, r"feature_schema\.features\[\d+\]\.kind: expected one of .* found `tensor`"),
        (other_predictions, r"golden\[0\]: `v3`: expected the predictions of training within 1e-05"),
        (other_request, r"golden\[0\]\.context\.planet: expected a feature of the context"),
        (no_golden, r"expected at least one golden request, found none"),
    ],
)
def test_a_damaged_bundle_is_refused(folder: Path, damage: Callable[[Path], None], told: str) -> None:
    load_ranker(folder, num_threads=1)
    damage(folder)
    with pytest.raises(InputError, match=told):
        load_ranker(folder, num_threads=1)

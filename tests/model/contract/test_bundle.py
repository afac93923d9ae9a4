"""A bundle reads back as it was written, and no damage to it goes unseen."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.bundle import (
    GRAPHS,
    MANIFEST,
    FileSeal,
    Manifest,
    read_bundle,
    read_manifest,
    seal,
    verify,
    write_parts,
)
from model.contract.drift import Codes, Intervals, Reference
from model.contract.durable import files_below
from model.contract.halves import Halves
from model.contract.mistakes import InputError
from tests.model.builders import VIDEOS, full_schema, make_arrays, make_encoder, make_manifest

ENCODER = make_encoder(full_schema())
GOLDEN = [{"request": {"candidates": ["v1", "v2"]}, "predictions": {"v1": {"like": 0.25}, "v2": {"like": 0.1}}}]
REFERENCE = Reference(
    predictions={"like": Intervals.fit(np.linspace(0, 1, 50))}, features={"author": Codes.fit(np.arange(5))}
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed bundle, to be left as it is."""
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    (folder / GRAPHS).mkdir(parents=True)
    (folder / GRAPHS / "rank.onnx").write_bytes(b"not really a graph")
    halves = Halves.of(np.ones((2, 3), np.float32), np.array([0, 2]), ENCODER.videos.num_entities)
    write_parts(folder, ENCODER, ENCODER.videos, halves, GOLDEN, REFERENCE)
    seal(folder, make_manifest(ENCODER.schema))
    return folder


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.loads((folder / MANIFEST).read_text())
    change(raw)
    (folder / MANIFEST).write_text(json.dumps(raw))


def test_a_bundle_reads_back_as_it_was_written(whole: Path) -> None:
    bundle = read_bundle(whole)
    assert bundle.manifest.model_copy(update={"files": {}}) == make_manifest(ENCODER.schema)
    assert bundle.schema == ENCODER.schema
    assert bundle.tasks == bundle.manifest.tasks
    assert bundle.graph("rank").read_bytes() == b"not really a graph"
    assert [one.model_dump(exclude_unset=True) for one in bundle.golden] == GOLDEN
    assert bundle.videos.lookup("author", VIDEOS).tolist() == ENCODER.videos.lookup("author", VIDEOS).tolist()
    expected = make_arrays(ENCODER, 30)
    for name, array in make_arrays(bundle.encoder, 30).items():
        np.testing.assert_array_equal(array, expected[name])


def test_the_manifest_names_every_other_file(whole: Path) -> None:
    manifest = read_manifest(whole)
    assert {*manifest.files, MANIFEST} == {path.relative_to(whole).as_posix() for path in files_below(whole)}
    verify(whole, manifest)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (
        lambda folder: (folder / "golden.json").write_bytes(b"["),
        r"golden.json: expected \d+ bytes, found 1",
    ),
    "lengthened": (lambda folder: (folder / "golden.json").open("a").write(" "), r"golden.json: expected \d+ bytes"),
    "missing": (lambda folder: (folder / "graphs" / "rank.onnx").unlink(), "rank.onnx: expected a file"),
    "extra": (lambda folder: (folder / "users" / "more.npy").touch(), "more.npy: expected only files"),
    "no_manifest": (lambda folder: (folder / MANIFEST).unlink(), "a bundle with a manifest.json, found none"),
    "not_json": (lambda folder: (folder / MANIFEST).write_text("{"), "a JSON document"),
    "not_utf8": (lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe"), "a JSON document"),
    "not_an_object": (lambda folder: (folder / MANIFEST).write_text("[1]"), r"format_version: expected 6, found \[1\]"),
    "deep_json": (lambda folder: (folder / MANIFEST).write_text("[" * 100_000), "a JSON document"),
    **{
        f"version_{found}": (
            lambda folder, found=found: edit_manifest(folder, lambda raw: raw.update(format_version=found)),
            "format_version: expected 6, found",
        )
        for found in (0, 1, 2, "1", None)
    },
    "no_version": (lambda folder: edit_manifest(folder, lambda raw: raw.pop("format_version")), "found null"),
    "no_tasks": (lambda folder: edit_manifest(folder, lambda raw: raw.pop("tasks")), "tasks: expected a value"),
    "wrong_task": (
        lambda folder: edit_manifest(folder, lambda raw: raw["tasks"][1].update(kind="ranking")),
        r"tasks\[1\].kind: expected 'binary' or 'regression', found `ranking`",
    ),
    "unknown_key": (lambda folder: edit_manifest(folder, lambda raw: raw.update(taks=1)), "taks: expected one of"),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES)
def test_every_damage_is_told(bundle: Path, damage: Callable[[Path], object], told: str) -> None:
    damage(bundle)
    with pytest.raises(InputError, match=told) as caught:
        read_bundle(bundle)
    assert str(bundle) in str(caught.value)


@given(st.data())
def test_no_flipped_bit_goes_unseen(whole: Path, data: st.DataObject) -> None:
    manifest = read_manifest(whole)
    path = whole / data.draw(st.sampled_from(sorted(manifest.files)))
    content = path.read_bytes()
    at, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    try:
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :])
        with pytest.raises(InputError, match="the file is damaged"):
            verify(whole, manifest)
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "graphs/../../outside", "graphs/.."])
def test_a_manifest_cannot_point_outside(bundle: Path, name: str) -> None:
    (bundle.parent / "outside").write_text("")
    manifest = read_manifest(bundle)
    elsewhere = manifest.model_copy(update={"files": {name: FileSeal(sha256="0", num_bytes=0)} | manifest.files})
    with pytest.raises(InputError, match="paths inside the bundle"):
        verify(bundle, elsewhere)


def test_parts_that_do_not_fit_the_manifest_are_told(bundle: Path) -> None:
    (bundle / "golden.json").write_text('[{"request": {}}]')
    seal_again(bundle)
    with pytest.raises(InputError, match="a readable bundle"):
        read_bundle(bundle)
    shutil.rmtree(bundle / "users")
    seal_again(bundle)
    with pytest.raises(InputError, match="a readable bundle"):
        read_bundle(bundle)


def seal_again(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    (folder / MANIFEST).unlink()
    return seal(folder, manifest)

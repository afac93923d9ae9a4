"""Bundle: one published model directory, written by training, verified and read by the service."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import JsonValue, ValidationError

from model.contract.catalog import EntityTable
from model.contract.combination import Policy
from model.contract.drift import Reference
from model.contract.durable import files_below, sha256
from model.contract.encoding import Encoder, load_fitted, save_fitted
from model.contract.halves import Halves
from model.contract.mistakes import InputError, Mistake, Strict, mistake, of_validation, quote
from model.contract.request import RankRequest
from model.contract.schema import FeatureSchema
from model.contract.serving import Serving
from model.contract.tasks import Task

FORMAT_VERSION = 6
LARGEST_FILE = 16 * 2**30  # bytes; a manifest that announces more is refused before anything is read or fetched
MANIFEST, ENCODER, USERS, VIDEOS, HALVES, GRAPHS, GOLDEN, REFERENCE = (
    "manifest.json",
    "encoder",
    "users",
    "videos",
    "halves",
    "graphs",
    "golden.json",
    "reference.json",
)


class FileSeal(Strict):
    sha256: str
    num_bytes: int


class Manifest(Strict):
    """All that is known about a bundle without opening its other files."""

    format_version: int
    version: str
    name: str
    created: str
    feature_schema: FeatureSchema
    tasks: tuple[Task, ...]
    policies: dict[str, Policy]
    metrics: dict[str, JsonValue]
    costs: dict[str, JsonValue]
    health: dict[str, JsonValue]
    training: dict[str, JsonValue]
    data_fingerprint: str
    libraries: dict[str, str]
    serving: Serving = Serving()
    files: dict[str, FileSeal]


class GoldenRequest(Strict):
    """A request and the predictions, by candidate id and task, that training computed for it."""

    request: RankRequest
    predictions: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """`defaults` holds, by feature, the encoded row of a missing value, for every feature with a raw column."""

    folder: Path
    manifest: Manifest
    encoder: Encoder
    users: EntityTable
    halves: Halves
    golden: tuple[GoldenRequest, ...]
    reference: Reference

    @property
    def videos(self) -> EntityTable:
        return self.encoder.videos

    @property
    def schema(self) -> FeatureSchema:
        return self.manifest.feature_schema

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.manifest.tasks

    def graph(self, name: str) -> Path:
        return self.folder / GRAPHS / f"{name}.onnx"


def write_parts(
    folder: Path,
    encoder: Encoder,
    users: EntityTable,
    halves: Halves,
    golden: Sequence[Mapping[str, Any]],
    reference: Reference,
) -> None:
    """All of a bundle but its graphs, which `export` writes, and its manifest, which `seal` writes last."""
    save_fitted(encoder.fitted, folder / ENCODER)
    encoder.videos.save(folder / VIDEOS)
    users.save(folder / USERS)
    halves.save(folder / HALVES)
    (folder / GOLDEN).write_text(json.dumps(golden, indent=1, ensure_ascii=False), encoding="utf-8")
    (folder / REFERENCE).write_text(reference.model_dump_json(indent=1), encoding="utf-8")


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Record every file's size and checksum, then write the manifest."""
    files = {
        path.relative_to(folder).as_posix(): FileSeal(sha256=sha256(path), num_bytes=path.stat().st_size)
        for path in files_below(folder)
    }
    sealed = manifest.model_copy(update={"files": files})
    (folder / MANIFEST).write_text(sealed.model_dump_json(indent=1), encoding="utf-8")
    return sealed


def read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise mistake(str(folder), f"a bundle with a {MANIFEST}", "none")
    return parse_manifest(path.read_bytes(), str(path))


def parse_manifest(content: bytes, path: str) -> Manifest:
    """Raises InputError, which names `path`."""
    try:
        raw = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise mistake(path, "a JSON document", f"{type(error).__name__}: {error}") from error
    found = raw.get("format_version") if isinstance(raw, dict) else raw
    if found != FORMAT_VERSION:
        raise mistake(f"{path}: format_version", str(FORMAT_VERSION), quote(found))
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        raise InputError(
            *(Mistake(f"{path}: {one.where}", one.expected, one.found) for one in of_validation(error, Manifest))
        ) from error


def check_seals(folder: Path, manifest: Manifest) -> None:
    """The names stay inside the folder, and no file is larger than any is: what a manifest says is safe to follow."""
    for name, announced in manifest.files.items():
        path = PurePosixPath(name)
        # One name a file: "a//b" and "./a" are refused too.
        is_plain = path.as_posix() == name and path.parts and "\0" not in name
        if not is_plain or path.is_absolute() or ".." in path.parts or name == MANIFEST:
            raise mistake(f"{folder / MANIFEST}: files", "paths inside the bundle", quote(name))
        if not 0 <= announced.num_bytes <= LARGEST_FILE:
            found = f"{announced.num_bytes} bytes"
            raise mistake(f"{folder / MANIFEST}: files: {name}", f"a file of at most {LARGEST_FILE} bytes", found)


def verify(folder: Path, manifest: Manifest) -> None:
    """Every file is there, of its size and checksum, inside the folder, and no other."""
    check_seals(folder, manifest)
    here = {path.relative_to(folder).as_posix() for path in files_below(folder)} - {MANIFEST}
    for name, expected in manifest.files.items():
        if name not in here:
            raise mistake(str(folder / name), "a file that the manifest names", "none")
        size = (folder / name).stat().st_size
        if size != expected.num_bytes:
            raise mistake(str(folder / name), f"{expected.num_bytes} bytes", f"{size} bytes")
    with ThreadPoolExecutor() as pool:  # hashing lets other threads run
        found = pool.map(sha256, (folder / name for name in manifest.files))
        for (name, expected), checksum in zip(manifest.files.items(), found, strict=True):
            if checksum != expected.sha256:
                raise mistake(str(folder / name), "the sha256 of the manifest", "another one: the file is damaged")
    for name in sorted(here - manifest.files.keys()):
        raise mistake(str(folder / name), "only files that the manifest names", "this one")


def read_bundle(folder: Path) -> Bundle:
    """Verify and open; raises InputError that says what is wrong with it."""
    manifest = read_manifest(folder)
    verify(folder, manifest)
    try:
        encoder = Encoder(manifest.feature_schema, load_fitted(folder / ENCODER), EntityTable.load(folder / VIDEOS))
        users, halves = EntityTable.load(folder / USERS), Halves.load(folder / HALVES)
        golden = json.loads((folder / GOLDEN).read_text(encoding="utf-8"))
        requests = tuple(GoldenRequest.model_validate(one) for one in golden)
        reference = Reference.model_validate_json((folder / REFERENCE).read_bytes())
    except (ValueError, KeyError, OSError) as error:
        raise mistake(str(folder), "a readable bundle", f"{type(error).__name__}: {error}") from error
    return Bundle(folder, manifest, encoder, users, halves, requests, reference)

"""Registries of every storage, with versions that hold only what a registry itself looks at."""

from pathlib import Path

from model.contract.bundle import FileSeal, Manifest, seal
from model.contract.registry.operations import KEPT_VERSIONS, Registry
from tests.model.builders import full_schema, make_manifest


def build(folder: Path, version: str) -> Manifest:
    (folder / "graphs").mkdir()
    (folder / "graphs" / "rank.onnx").write_text(f"graph of {version}")
    metrics = {"test": {"tasks": {"click": {"auc": 0.75}}}}
    manifest = make_manifest(full_schema(), version).model_copy(
        update={"created": f"2026-11-21T00:00:00 {version}", "metrics": metrics}
    )
    return seal(folder, manifest)


def publish(registry: Registry, *versions: str, keep: int = KEPT_VERSIONS) -> None:
    for version in versions:
        registry.publish(lambda folder, version=version: build(folder, version), keep)


def announcing(folder: Path, version: str, **files: int) -> Manifest:
    """A manifest that announces these files besides, of these sizes."""
    manifest = build(folder, version)
    more = {name: FileSeal(sha256="0" * 64, num_bytes=size) for name, size in files.items()}
    changed = manifest.model_copy(update={"files": manifest.files | more})
    (folder / "manifest.json").write_text(changed.model_dump_json())
    return changed

"""A bundle is data: nothing in it is unpickled, executed, or read from beside it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from model.contract.bundle import MANIFEST, read_bundle
from model.contract.durable import mapped
from service.runtime.sessions import Runtime
from tests.service.server import ROOT
from tests.service.small_bundle import VERSION

SOURCES = sorted([*(ROOT / "service").rglob("*.py"), *(ROOT / "model" / "contract").rglob("*.py")])
UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}


def unsafe(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            yield from (name for name in names if name.split(".")[0] in UNSAFE_MODULES)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in UNSAFE_CALLS:
                yield called
            if called.endswith((".load", ".memmap")) and called.startswith(("np.", "numpy.")):
                given = {one.arg: ast.unparse(one.value) for one in node.keywords}
                if given.get("allow_pickle") != "False":
                    yield ast.unparse(node)


@pytest.mark.parametrize("source", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_no_source_of_the_service_can_run_what_it_reads(source: Path) -> None:
    assert not list(unsafe(ast.parse(source.read_text())))


def test_the_search_finds_what_it_looks_for() -> None:
    text = "import pickle\nfrom yaml import x\neval('1')\nnp.load(p)\nnp.load(p, allow_pickle=True)"
    assert len(list(unsafe(ast.parse(text)))) == 5


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("sprung"),))


@pytest.mark.parametrize("size", [1, 2000])
def test_a_pickled_array_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "array.npy", np.array([Trap() for _ in range(size)], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"[Oo]bject|[Pp]ython"):
        mapped(tmp_path / "array.npy")
    assert not (tmp_path / "sprung").exists()


def outside(graph: Path) -> None:
    """Weights from a file that is not the bundle's."""
    model = onnx.load(graph)
    weight = max(model.graph.initializer, key=lambda one: len(one.raw_data))
    (graph.parents[3] / "secret.bin").write_bytes(weight.raw_data)
    onnx.external_data_helper.set_external_data(weight, "../../../secret.bin", offset=0, length=len(weight.raw_data))
    weight.ClearField("raw_data")
    onnx.save(model, graph)


def own_operator(graph: Path) -> None:
    model = onnx.load(graph)
    model.graph.node[0].op_type, model.graph.node[0].domain = "RunThis", "com.example"
    model.opset_import.append(onnx.helper.make_opsetid("com.example", 1))
    onnx.save(model, graph)


@pytest.mark.parametrize("damage", [outside, own_operator])
def test_a_graph_that_reaches_beyond_itself_is_refused(own_registry: Path, damage: object) -> None:
    folder = own_registry / "versions" / VERSION
    bundle = read_bundle(folder)
    assert (folder / MANIFEST).exists()
    damage(folder / "graphs" / "rank.onnx")  # type: ignore[operator]
    with pytest.raises(Exception, match=r"secret\.bin|escapes|outside|RunThis|com\.example"):
        Runtime(bundle, 1)

"""The commands of versions and channels: what they print, and one line for each mistake."""

import subprocess
import sys
from pathlib import Path

import pytest

from model.contract.registry import open_registry
from model.contract.registry.operations import Registry
from tests.model.contract.registry.places import publish
from training.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    opened = open_registry(tmp_path / "registry")
    publish(opened, "v-one", "v-two")
    return opened


def run(
    line: str, registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["watchnext", *line.split(), "--registry", str(registry)])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("promote v-one", "live: v-one\nprevious: v-two\n"),
        ("rollback", "live: v-one\nprevious: v-two\n"),
        ("canary v-one --percent 2.5", "live: v-two\nprevious: v-one\ncanary: v-one (2.5% of users)\n"),
        ("canary --end", "live: v-two\nprevious: v-one\n"),
        ("shadow v-one", "live: v-two\nprevious: v-one\nshadow: v-one\n"),
        ("shadow --end", "live: v-two\nprevious: v-one\n"),
    ],
)
def test_channels_are_changed_and_told(
    line: str, told: str, registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(line, registry, capsys, monkeypatch) == (0, told, "")


def test_versions_are_listed(
    registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run("versions", registry, capsys, monkeypatch)
    head, two, one = out.splitlines()
    assert code == 0 and head.split() == ["version", "created", "channels", "MB", "test", "metrics"]
    assert two.split()[0] == "v-two" and "live" in two and "click auc 0.7500" in two
    assert one.split()[0] == "v-one" and "previous" in one


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("promote v-on", "did you mean `v-one`?"),
        ("canary v-one --percent 101", "percent: expected a number from 0 to 100, found 101.0"),
        ("canary v-one --percent nan", "percent: expected a number from 0 to 100, found nan"),
        ("canary v-one", "canary: expected VERSION and --percent, or --end alone"),
        ("canary v-one --percent 5 --end", "canary: expected VERSION and --percent, or --end alone"),
        ("shadow", "shadow: expected either VERSION or --end, found neither"),
        ("shadow v-one --end", "shadow: expected either VERSION or --end, found both"),
    ],
)
def test_mistakes_are_one_line(
    line: str, told: str, registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = registry.assignments()
    code, out, err = run(line, registry, capsys, monkeypatch)
    assert (code, out) == (2, "") and told in err and len(err.strip().splitlines()) == 1
    assert registry.assignments() == before


@pytest.mark.parametrize("line", ["versions", "promote v-one", "rollback", "canary --end"])
def test_no_registry_is_one_line_and_none_is_made(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(line, open_registry(tmp_path / "none"), capsys, monkeypatch)
    assert code == 2 and len(err.strip().splitlines()) == 1 and not (tmp_path / "none").exists()


def test_they_need_no_torch(registry: Registry) -> None:
    block = "import sys; sys.modules['torch'] = None; from training.cli import main; main()"
    line = [sys.executable, "-c", block, "rollback", "--registry", str(registry)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert registry.live().version == "v-one"

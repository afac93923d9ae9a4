"""Shapes on signatures are checked while the tests run, in every module that states some."""

from pathlib import Path

import pytest
import torch
from jaxtyping import TypeCheckError

from model.history import HistoryEncoder
from model.sharing.mmoe import MMoEConfig
from model.towers import Towers

ROOT = Path(__file__).parent.parent


def test_every_module_that_states_shapes_is_checked(pytestconfig: pytest.Config) -> None:
    *checked, _ = pytestconfig.getoption("--jaxtyping-packages").split(",")
    paths = [path.relative_to(ROOT) for package in ("model", "training") for path in (ROOT / package).rglob("*.py")]
    stating = {".".join(path.with_suffix("").parts) for path in paths if "from jaxtyping import" in read(path)}
    covered = {name: {one for one in stating if f"{one}.".startswith(f"{name}.")} for name in checked}
    assert stating - set().union(*covered.values()) == set(), "name them in addopts in pyproject.toml"
    assert [name for name, modules in covered.items() if not modules] == []


def read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_a_wrong_shape_is_caught_at_the_call() -> None:
    with pytest.raises(TypeCheckError):
        Towers(5, 3, (), dropout=0.0)(torch.zeros(2, 5))
    with pytest.raises(TypeCheckError):
        MMoEConfig().build(5, 2)(torch.zeros(2, 3, 5))


def test_sizes_that_disagree_and_wrong_types_are_caught_at_the_call() -> None:
    encoder, videos, outcomes = HistoryEncoder(4, 2, 3, smoothing=1.0), torch.zeros(2, 6, 4), torch.zeros(2, 6, 2)
    encoder(videos, outcomes, torch.ones(2, 6, dtype=torch.bool))
    for wrong in (torch.ones(2, 1, dtype=torch.bool), torch.ones(2, 6)):
        with pytest.raises(TypeCheckError):
            encoder(videos, outcomes, wrong)

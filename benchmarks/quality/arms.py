"""The table of arms: who takes part, by which config, and what decides what comes out."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import model
import training
from benchmarks.quality import boosting, columns, rechub, watchnext
from benchmarks.quality.arm import Arm
from training.comparison.arms import sharing_arms
from training.config import RunConfig
from training.readers.interface import fingerprint_of

SHIPPED = "watchnext"
SHARING = ("independent", "shared_bottom", "ple", "mmoe")
LIBRARIES: Mapping[str, tuple[str, ModuleType]] = {
    "lightgbm": ("lightgbm", boosting),
    "torch_rechub": ("torch-rechub", rechub),
}
NAMES = (SHIPPED, *SHARING, *LIBRARIES)
UNDECIDING: Any = {"name": True, "data": True, "policies": True, "training": {"checkpoint_steps", "seed"}}


def arms_of(config: RunConfig, names: Sequence[str]) -> Iterator[Arm]:
    """Sharing architectures take the place of the shipped one, with as many parameters. MMoE is one of them only where
    it is not the shipped one itself.
    """
    for name in names:
        if name in LIBRARIES:
            package, module = LIBRARIES[name]
            content = f"{package} {version(package)} {_code(module)} {_code(columns)}"
            yield Arm(name, module.predict, config, content)
        elif name == SHIPPED or name != "mmoe" or config.sharing.kind != "mmoe":
            own = config if name == SHIPPED else sharing_arms(config, [name], match_parameters=True)[0].config
            settings = own.model_dump_json(exclude=UNDECIDING)
            content = f"torch {version('torch')} {_code(model)} {_code(training)} {_code(watchnext)} {settings}"
            yield Arm(name, watchnext.predict, own, content)


def _code(module: ModuleType) -> str:
    """A fingerprint of a module, or of all of a package."""
    path = Path(str(module.__file__))
    return fingerprint_of(sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path])

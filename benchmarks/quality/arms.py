"""The table of arms: who takes part, by which config, and what decides what comes out."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import model
import training.readers
from benchmarks.quality import boosting, columns, rechub, scores, watchnext
from benchmarks.quality.arm import Arm, Predict
from training.comparison.arms import sharing_arms
from training.config import RunConfig
from training.readers.interface import fingerprint_of

SHIPPED = "watchnext"
SHARING = ("independent", "shared_bottom", "ple", "mmoe")
LIBRARIES: Mapping[str, tuple[str, ModuleType, Predict]] = {
    "lightgbm": ("lightgbm", boosting, boosting.predict),
    "lightgbm_tuned": ("lightgbm", boosting, boosting.predict_tuned),
    "torch_rechub": ("torch-rechub", rechub, rechub.predict),
}
NAMES = (SHIPPED, *SHARING, *LIBRARIES)
UNDECIDING: Any = {
    **dict.fromkeys(("name", "data", "policies", "serving"), True),
    "training": {"checkpoint_steps", "seed"},
}


def names_for(config: RunConfig) -> list[str]:
    """All of them; MMoE only where it is not the shipped one itself."""
    return [name for name in NAMES if name != "mmoe" or config.sharing.kind != "mmoe"]


def arms_of(config: RunConfig, names: Sequence[str]) -> Iterator[Arm]:
    """Sharing architectures take the place of the shipped one, with as many parameters."""
    for name in names:
        if name in LIBRARIES:
            package, module, predict = LIBRARIES[name]
            content = f"{name} {_content(package, module, columns, scores, training.readers)}"
            yield Arm(name, predict, config, content)
        else:
            own = config if name == SHIPPED else sharing_arms(config, [name], match_parameters=True)[0].config
            settings = own.model_dump_json(exclude=UNDECIDING)
            yield Arm(name, watchnext.predict, own, _content("torch", watchnext, scores, model, training) + settings)


def _content(package: str, *code: ModuleType) -> str:
    """The version of a package, and a fingerprint of these modules, or of all that is in them."""
    paths = [Path(str(module.__file__)) for module in code]
    files = [file for path in paths for file in ([path] if path.name != "__init__.py" else path.parent.rglob("*.py"))]
    return f"{package} {version(package)} {fingerprint_of(sorted(files))}"

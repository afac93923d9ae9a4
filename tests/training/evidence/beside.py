"""A subject whose run's folder holds other files."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.evidence.subject import Subject


def beside(subject: Subject, folder: Path, **files: Any) -> Subject:
    """`files` are contents of JSON files by their name, or their text."""
    for name, content in files.items():
        (folder / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return replace(subject, run=replace(subject.run, folder=folder))

"""YAML with the line of every key: mistakes can then name where they are."""

import re
from pathlib import Path
from typing import Any

import yaml

from model.contract.mistakes import mistake


class Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: `true` and `false`. In 1.1 `on`, a key of match features, is a boolean too, as is `no`."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def load_file(path: Path) -> tuple[Any, dict[str, int]]:
    """As `load_with_lines`; raises InputError where there is no readable file too."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise mistake(str(path), "a readable YAML file", getattr(error, "strerror", None) or str(error)) from error
    return load_with_lines(text, str(path))


def load_with_lines(text: str, source: str) -> tuple[Any, dict[str, int]]:
    """The document, and the line of each place such as `features[3].name`. A key twice in one mapping is refused."""
    try:
        node = yaml.compose(text, Loader=Loader)
        lines: dict[str, int] = {}
        if node is not None:
            _collect(node, "", lines, source)
        return yaml.load(text, Loader=Loader), lines
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise mistake(f"{source}{line}", "a YAML document", error.problem or "something else") from error
    except (yaml.YAMLError, ValueError) as error:
        raise mistake(source, "a YAML document", str(error).splitlines()[0]) from error


def _collect(node: yaml.Node, path: str, lines: dict[str, int], source: str) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for at, item in enumerate(node.value):
            _collect(item, f"{path}[{at}]", lines, source)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            inner = f"{path}.{name}" if path else name
            if inner in lines:
                raise mistake(
                    f"{source}:{key.start_mark.line + 1}: {inner}", "each key once", f"it also in line {lines[inner]}"
                )
            _collect(value, inner, lines, source)
            lines[inner] = key.start_mark.line + 1

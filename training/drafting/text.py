"""Text: entries to YAML that people read and edit, a line each, with the reason beside it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from training.drafting.parts import Entry
from training.yaml_lines import Loader

WIDTH = 120
ALIGNED = 72  # where the reasons begin, if the longest entry allows


class _Dumper(yaml.SafeDumper):
    """Quotes what this project's own loader would read as something else, and nothing more."""


_Dumper.yaml_implicit_resolvers = Loader.yaml_implicit_resolvers


def flow(value: Any) -> str:
    """On one line: `{name: age, kind: number}`."""
    options: dict[str, Any] = {"default_flow_style": True, "sort_keys": False, "allow_unicode": True}
    text: str = yaml.dump(value, Dumper=_Dumper, width=float("inf"), **options)
    return text.removesuffix("\n").removesuffix("\n...")


def comment(text: str) -> str:
    """Column names may hold what no YAML file may: it is spelled out."""
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return f"# {shown}"


def line(text: str, why: str, aligned: int = 0) -> Iterator[str]:
    """The reason beside it, from column `aligned` on, or above where there is no room."""
    if not why:
        yield text
        return
    reason, indent = comment(why), text[: len(text) - len(text.lstrip())]
    room = WIDTH - len(reason) - 2
    yield from (f"{text.ljust(min(aligned, room))}  {reason}",) if len(text) <= room else (indent + reason, text)


def entries(items: Sequence[Entry]) -> Iterator[str]:
    lines = [f"  - {flow(one.fields)}" for one in items]
    aligned = min(ALIGNED, max(map(len, lines), default=0))
    for text, one in zip(lines, items, strict=True):
        yield from line(text, one.why, aligned)


def turned_off(items: Iterable[Entry]) -> Iterator[str]:
    for one in items:
        yield f"  # - {comment(flow(one.fields))[2:]}  {comment(one.why)}"


def left_out(reasons: Mapping[str, str]) -> Iterator[str]:
    if reasons:
        yield "  # Left out:"
    for name, why in reasons.items():
        yield "  " + comment(f"  {name}: {why}")

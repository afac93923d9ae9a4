"""How every mistake of a user is told: where it is, what was expected, what was found, the nearest allowed name."""

import difflib
import json
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

LONGEST_QUOTE = 60
MOST_MISTAKES = 20  # of a request, told at once: finding the nearest name takes time, and nobody reads more
IN_BULK = "in_bulk"  # the name of a union's members that are there for speed alone: no mistake is told of them


class Strict(BaseModel):
    """A value read from disk, environment or wire: immutable, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


@dataclass(frozen=True, slots=True)
class Mistake:
    where: str
    expected: str
    found: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f"; did you mean `{self.nearest}`?" if self.nearest else ""
        return f"{self.where}: expected {self.expected}, found {self.found}{hint}"


class InputError(ValueError):
    """One or more mistakes in what a user gave: a config, a table, a request, a bundle."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def mistake(where: str, expected: str, found: str) -> InputError:
    return InputError(Mistake(where, expected, found))


def quote(value: object) -> str:
    """A value as it is shown in a message: short, on one line."""
    if isinstance(value, str):
        text = f"`{value if value.isprintable() else repr(value)[1:-1]}`"
    elif value is None or isinstance(value, bool):
        text = json.dumps(value)  # as YAML and JSON spell it
    else:
        text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 3] + "..."


def nearest(name: object, allowed: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(str(name), list(allowed), n=1)), None)


def unknown_name(where: str, what: str, name: str, allowed: Iterable[str]) -> Mistake:
    names = sorted(allowed)
    listed = ", ".join(f"`{known}`" for known in names) or "none is declared"
    return Mistake(where, f"{what} ({listed})", quote(name), nearest(name, names))


def place(location: Sequence[int | str]) -> str:
    """`("features", 3, "name")` -> `features[3].name`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "the whole"


def of_validation(error: ValidationError, root: type[BaseModel], most: int | None = None) -> list[Mistake]:
    """Translate pydantic's errors, the first `most` of them; `root` is the class that was validated, which knows the
    allowed names.
    """
    errors: list[dict[str, Any]] = [dict(one) for one in error.errors(include_url=False)]
    return [_of_one(one, root) for one in [one for one in errors if not _is_echo(one)][:most]]


def _is_echo(one: dict[str, Any]) -> bool:
    """Whether a list is called too short only because some of its items are wrong, each of which is told itself, or
    was only tried as what it is not, in bulk.
    """
    if any(isinstance(step, str) and step.startswith(f"{IN_BULK}[") for step in one["loc"]):
        return True
    return one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]


def _of_one(one: dict[str, Any], root: type[BaseModel]) -> Mistake:
    location, kind, context = one["loc"], one["type"], one.get("ctx", {})
    path, parent = _walk(location[:-1], root)
    where = place([*path, *(step for step in location[-1:] if not _is_member(step))])
    if kind == "extra_forbidden":
        allowed = [field.alias or name for name, field in parent.model_fields.items()] if parent else []
        known = ", ".join(f"`{name}`" for name in allowed)
        return Mistake(where, f"one of {known}", quote(str(location[-1])), nearest(location[-1], allowed))
    if kind == "json_invalid":
        return Mistake(where, "valid JSON", context["error"])
    if kind == "missing":
        return Mistake(where, "a value (it is required)", "nothing")
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
        known = ", ".join(f"`{tag}`" for tag in tags)
        key = context["discriminator"].strip("'")
        return Mistake(f"{where}.{key}", f"one of {known}", f"`{context['tag']}`", nearest(context["tag"], tags))
    if kind == "union_tag_not_found":
        key = context["discriminator"].strip("'")
        return Mistake(f"{where}.{key}", "a value (it is required)", "nothing")
    if kind in ("too_short", "too_long"):
        return Mistake(where, _expectation(one["msg"].split(" after validation")[0]), f"{len(one['input'])} of them")
    return Mistake(where, _expectation(one["msg"]), _found(one["input"]))


OPENINGS = {
    "Input should be ": "",
    "Value error, ": "",
    "String should have ": "a string with ",
    "String should match ": "a string that matches ",
    "List should have ": "a list with ",
    "Tuple should have ": "a list with ",
    "Dictionary should have ": "an object with ",
}


def _expectation(message: str) -> str:
    for opening, ours in OPENINGS.items():
        if message.startswith(opening):
            return ours + message.removeprefix(opening)
    return message[:1].lower() + message[1:]


def _found(value: object) -> str:
    return "a document that is not valid JSON" if isinstance(value, bytes) else quote(value)


def _is_member(step: int | str) -> bool:
    """Whether it is pydantic's name of a union's member, which is no part of the document."""
    return isinstance(step, str) and step.endswith("]") and "[" in step


def _walk(location: Sequence[int | str], root: type[BaseModel]) -> tuple[list[int | str], type[BaseModel] | None]:
    """Follow a pydantic location through the classes; drops the tags of unions, which are no part of the document."""
    path: list[int | str] = []
    candidates: list[Any] = [root]
    for step in location:
        models = [one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)]
        tagged = [one for one in models if step in _tags(one)]
        if tagged and not any(step in one.model_fields for one in models):
            candidates = tagged
            continue
        if _is_member(step):
            continue
        path.append(step)
        fields = [one.model_fields[str(step)].annotation for one in models if step in one.model_fields]
        candidates = [leaf for field in fields or candidates for leaf in _leaves(field)]
    found = [one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)]
    return path, found[0] if found else None


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    names = ("kind", "by")
    literals = [model.model_fields[name].annotation for name in names if name in model.model_fields]
    return (*(value for one in literals for value in typing.get_args(one)), model.__name__)


def _leaves(annotation: Any) -> list[Any]:
    """The classes that an annotation is made of: `tuple[A | B, ...]` -> `[A, B]`."""
    arguments = typing.get_args(annotation)
    if not arguments or typing.get_origin(annotation) is typing.Literal:
        return [annotation]
    return [leaf for argument in arguments for leaf in _leaves(argument)]

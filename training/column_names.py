"""Column names: what a column's name says, however it is spelled."""

import re
from typing import Annotated

from pydantic import TypeAdapter, ValidationError

from model.contract.features.interface import Name
from model.contract.graphs import OWN_NAMES

PREFIXES = frozenset({"is", "has", "did", "was", "label", "flag"})
# A figure over earlier impressions is a feature, whatever outcome it counts.
AGGREGATES = frozenset(
    {
        *("avg", "average", "mean", "median", "hist", "history", "historical", "past", "prior", "prev", "previous"),
        *("recent", "since", "last", "total", "count", "counts", "cnt", "num", "n", "sum", "rate", "ctr", "cvr"),
        *("views", "likes", "shares", "clicks", "comments", "max", "min"),
    }
)
_name = TypeAdapter(Annotated[str, Name])


def words(name: str) -> tuple[str, ...]:
    """`userId`, `user_id` and `User ID` all give `("user", "id")`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return tuple(re.findall(r"[^\W_]+", spaced.lower()))


def bare_words(name: str) -> tuple[str, ...]:
    """Without what only says that the column is a flag: `is_click` -> `("click",)`."""
    found = words(name)
    return tuple(one for one in found if one not in PREFIXES) or found


def is_feature_name(name: str) -> bool:
    try:
        _name.validate_python(name)
    except ValidationError:
        return False
    return name not in OWN_NAMES

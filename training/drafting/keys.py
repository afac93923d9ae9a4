"""Keys: which columns name the user, the video, the video being watched and the request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from model.contract.mistakes import mistake
from training.column_names import is_feature_name, words
from training.drafting.tables import SampledTable, Tables
from training.spelling import listed

ID_WORDS = ("id", "uid", "idx", "index", "key", "hash", "uuid", "guid", "no", "number")
USERS = ("user", "member", "viewer", "customer", "account", "visitor", "subscriber", "client", "profile", "reader")
VIDEOS = (
    *("video", "item", "content", "doc", "document", "movie", "product", "media", "article", "news", "photo", "clip"),
    *("show", "track", "song", "post", "asset", "program", "episode", "candidate", "listing"),
)
ABBREVIATED = {"user": ("uid",), "video": ("vid", "iid")}
QUERY_WORDS = ("query", "watching", "current", "seed", "source", "anchor", "trigger", "context", "previous", "prev")
REQUESTS = ("request", "req", "impression", "list", "slate", "search", "session", "query", "page", "feed", "group")
LIST_WORDS = ("list", "group", "set", "page", "view", "trace")
SHARED_IDS = 0.5  # of the values of a query video, those that are videos


@dataclass(frozen=True, slots=True)
class FoundKeys:
    user: str
    video: str
    query_video: str | None = None
    request: str | None = None

    @property
    def columns(self) -> list[str]:
        return [one for one in (self.user, self.video, self.query_video, self.request) if one]


def find_keys(tables: Tables) -> FoundKeys:
    """Raises InputError when nothing names users or videos."""
    user = _entity(tables.impressions, tables.users, "user", USERS)
    video = _entity(tables.impressions, tables.videos, "video", VIDEOS)
    request = _request(tables.impressions.frame, user)
    return FoundKeys(user, video, _query_video(tables, (user, video, request)), request)


def _entity(impressions: SampledTable, entities: SampledTable | None, what: str, nouns: Sequence[str]) -> str:
    named = list(dict.fromkeys(_named(impressions.frame.columns, ABBREVIATED[what], nouns)))
    looked_for = listed([*(f"{noun}_id" for noun in nouns), *ABBREVIATED[what]])
    if not named:
        expected = f"a column that names the {what}, such as {looked_for}"
        raise mistake(impressions.pattern, expected, f"the columns {listed(impressions.frame.columns)}")
    shared = [one for one in named if entities is None or one in entities.frame.columns]
    if not shared:
        assert entities is not None
        found = f"the columns {listed(entities.frame.columns)}"
        raise mistake(entities.pattern, f"a column `{named[0]}`, to join it to the impressions", found)
    if impressions.frame.schema[shared[0]].is_float():
        found = f"a column of type {impressions.frame.schema[shared[0]]}"
        raise mistake(f"{impressions.pattern}: column `{shared[0]}`", "ids as strings or integers", found)
    return shared[0]


def _named(columns: Sequence[str], abbreviated: Sequence[str], nouns: Sequence[str]) -> Iterator[str]:
    """Best first: `user_id`, then `uid`, then `hashed_user_id`, then `user`."""
    by_words = {column: words(column) for column in columns}
    spelled = {column: "".join(parts) for column, parts in by_words.items()}
    for noun in nouns:
        yield from (one for one in columns if spelled[one] in {noun + ending for ending in ID_WORDS})
    yield from (one for one in columns if spelled[one] in abbreviated)
    for noun in nouns:
        pairs = {(noun, ending) for ending in ID_WORDS}
        yield from (
            one
            for one, parts in by_words.items()
            if pairs.intersection(pairwise(parts)) and not set(parts) & set(QUERY_WORDS)
        )
    for noun in nouns:
        yield from (one for one in columns if spelled[one] == noun)


def _query_video(tables: Tables, taken: Sequence[str | None]) -> str | None:
    """By its name, and because its values are videos."""
    frame = tables.impressions.frame
    video = str(taken[1])
    videos = frame[video] if tables.videos is None else tables.videos.frame[video]
    known = videos.cast(pl.String).unique().implode()
    for column, kind in frame.schema.items():
        named = column not in taken and is_feature_name(column) and set(words(column)) & set(QUERY_WORDS)
        if not named or not (kind == pl.String or kind.is_integer()):
            continue
        values = frame[column].drop_nulls().cast(pl.String)
        if len(values) and values.is_in(known).mean() >= SHARED_IDS:  # type: ignore[operator]
            return column
    return None


def _request(frame: pl.DataFrame, user: str) -> str | None:
    """A column whose values each name several impressions of one user."""
    for noun in REQUESTS:
        for column, kind in frame.schema.items():
            parts = words(column)
            named = parts[:1] == (noun,) and parts[-1] in ID_WORDS and set(parts[1:-1]) <= set(LIST_WORDS)
            if named and (kind == pl.String or kind.is_integer()) and _groups(frame, column, user):
                return column
    return None


def _groups(frame: pl.DataFrame, column: str, user: str) -> bool:
    known = frame.filter(pl.col(column).is_not_null())
    num, with_user = known[column].n_unique(), known.select(column, user).n_unique()
    return 1 < num < 0.8 * known.height and with_user <= 1.01 * num

"""Crossing: features that follow from other features: what is being watched, and what a user met before."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from training.drafting.keys import FoundKeys
from training.drafting.parts import Entry, Guesses
from training.drafting.tables import Tables

DISCRETE = ("category", "categories")
ORDER = ("candidate", "query", "context", "user", "pair", "impression")
MATCHED_VALUES = 20  # of fewer, everybody met them all
LARGEST_MATCHES = 6


def with_crossed(guesses: Guesses, tables: Tables, keys: FoundKeys) -> Guesses:
    """The features in the order of a config, with those that need others: query, one history, matches."""
    left_out = dict(guesses.left_out)
    video = next((one for one in guesses.entries if one.name == keys.video), None)
    history = _only_history(guesses.entries, video, left_out)
    entries = [one for one in guesses.entries if one.fields["kind"] != "history"]
    taken = guesses.names | set(tables.impressions.frame.columns)
    entries += _of_query(entries, tables, keys, taken) if video and keys.query_video else []
    if history:
        entries += [history, *_matches(entries, history, taken)]
    return Guesses(sorted(entries, key=lambda one: ORDER.index(one.fields.get("side", "pair"))), left_out)


def _only_history(entries: Sequence[Entry], video: Entry | None, left_out: dict[str, str]) -> Entry | None:
    histories = [one for one in entries if one.fields["kind"] == "history"]
    for one in histories[0 if video is None else 1 :]:
        left_out[one.name] = "a request has one history" if video else "a history needs the video's id as a feature"
    if not histories or video is None:
        return None
    return replace(histories[0], fields=histories[0].fields | {"of": video.name})


def _of_query(entries: Sequence[Entry], tables: Tables, keys: FoundKeys, taken: set[str]) -> Iterator[Entry]:
    """The video being watched, and what the table of videos says of it."""
    query, known = str(keys.query_video), tables.videos.frame.columns if tables.videos else []
    why = "what is being watched"
    yield Entry({"name": query, "kind": "category", "side": "query", "shares": keys.video}, why)
    for one in entries:
        name, fields = f"{query}_{one.name}", one.fields
        if fields["kind"] in DISCRETE and fields["side"] == "candidate" and one.name in known and name not in taken:
            if one.name == keys.video:
                continue
            length = {"length": fields["length"]} if "length" in fields else {}
            shared = {"name": name, "kind": fields["kind"], "side": "query", "shares": one.name, **length}
            yield Entry(shared, f"`{one.name}` of what is being watched")


def _matches(entries: Sequence[Entry], history: Entry, taken: set[str]) -> Iterator[Entry]:
    candidates = [one for one in entries if one.fields["kind"] in DISCRETE and one.fields["side"] == "candidate"]
    rich = [one for one in candidates if one.distinct >= MATCHED_VALUES]
    for one in sorted(rich, key=lambda one: -one.distinct)[:LARGEST_MATCHES]:
        name = f"same_{one.name.removesuffix('_id')}"
        if name not in taken:
            fields = {"name": name, "kind": "match", "of": history.name, "on": one.name}
            yield Entry(fields, f"this user's past with this `{one.name}`")

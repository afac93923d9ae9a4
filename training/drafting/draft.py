"""Draft: a run config for any table of impressions, every guess with its reason."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from model.contract.tasks import TaskKind
from training.config import parse
from training.drafting.crossing import with_crossed
from training.drafting.dividing import split_entry
from training.drafting.features import Judge, Label, find_features
from training.drafting.keys import FoundKeys, find_keys
from training.drafting.parts import Entry, Guesses
from training.drafting.positions import bias_block, find_position, find_propensity
from training.drafting.sides import Groups
from training.drafting.tables import SampledTable, Tables, open_tables
from training.drafting.tasks import A_LABEL, FoundTasks, find_tasks
from training.drafting.text import comment, entries, flow, left_out, line, turned_off
from training.moments import find_moments
from training.yaml_lines import load_with_lines

SMALLEST_BATCH, LARGEST_BATCH, BATCHES = 64, 4096, 100


@dataclass(frozen=True, slots=True)
class Draft:
    name: str
    tables: Tables
    keys: FoundKeys
    split: Entry
    features: Guesses
    tasks: FoundTasks
    position: Guesses
    propensity: str | None


def draft_config(pattern: str, users: str | None, videos: str | None, name: str) -> str:
    """YAML text that `load_config` accepts. `pattern`, `users` and `videos` each name a file, a folder or a glob.

    Reads a bounded sample. Raises InputError when the tables cannot be read, or hold no ids or no label.
    """
    tables = open_tables(pattern, users, videos)
    text = "\n".join(_lines(_draft(tables, name))) + "\n"
    source = f"a config drafted from {pattern}"
    parse(*load_with_lines(text, source), source)  # tells of a bad name, and of a table with one side only
    return text


def _draft(tables: Tables, name: str) -> Draft:
    keys = find_keys(tables)
    tables = _with_text_ids(tables, keys)
    frame = tables.impressions.frame
    moments = find_moments(frame.drop(keys.columns))
    tasks = find_tasks(frame, keys.columns, tables.impressions.pattern)
    groups = Groups.of(frame, keys, moments)
    position = find_position(groups)
    taken = {one.column: "when it happened: no later row will have this value" for one in moments}
    taken |= tasks.columns | position.left_out | {one.name: "the position" for one in position.entries}
    judge = Judge(groups, [_label(frame, one) for one in tasks.entries])
    features = with_crossed(find_features(tables, keys, judge, taken), tables, keys)
    # Of use to those alone who know what was shown together, and where.
    propensity = find_propensity(frame) if keys.request and position.entries else None
    return Draft(name, tables, keys, split_entry(frame, moments, keys), features, tasks, position, propensity)


def _with_text_ids(tables: Tables, keys: FoundKeys) -> Tables:
    impressions = tables.impressions
    for key in keys.columns:
        impressions = impressions.with_text_id(key)
    users = tables.users.with_text_id(keys.user) if tables.users else None
    videos = tables.videos.with_text_id(keys.video) if tables.videos else None
    return Tables(impressions, users, videos)


def _label(frame: pl.DataFrame, task: Entry) -> Label:
    values, mask = pl.col(task.fields["label"]).cast(pl.Float64), task.fields.get("observed")
    if mask:
        values = pl.when(pl.col(mask).cast(pl.Int64) == 1).then(values)
    numbers = frame.select(values.fill_null(math.nan)).to_series().to_numpy()
    return Label(task.name, TaskKind(task.fields["kind"]), numbers)


def _lines(draft: Draft) -> Iterator[str]:
    impressions = draft.tables.impressions
    read = f"{impressions.frame.height:,} of "
    rows = f"{read if impressions.frame.height < impressions.num_rows else ''}{impressions.num_rows:,} rows"
    yield comment(f"Drafted by `watchnext init` from {rows} of {impressions.pattern}.")
    yield "# Every line is a guess, with its reason beside it: read it, correct it, then run `watchnext check` on it."
    yield flow({"name": draft.name})[1:-1]
    yield "data:"
    yield f"  reader: {flow(_reader(draft.tables))}"
    yield from line(f"  split: {flow(draft.split.fields)}", draft.split.why)
    yield f"  keys: {flow(_keys(draft.keys))}"
    if draft.propensity is not None:
        yield from line(f"  propensity: {flow(draft.propensity)}", "for the estimates of `watchnext replay` alone")
    yield "features:"
    yield from entries([*draft.features.entries, *draft.position.entries])
    roles = {*(one.name for one in draft.position.entries), draft.propensity}
    yield from left_out(
        {name: why for name, why in draft.features.left_out.items() if why != A_LABEL and name not in roles}
    )
    yield "tasks:"
    yield from entries(draft.tasks.entries)
    yield from _rare(draft.tasks)
    for entry in draft.position.entries:
        yield f"position_bias: {flow(bias_block(entry, draft.features.entries))}"
    yield f"training: {flow(_training(impressions))}"
    yield "policies:  # the order of the rankings: set the weights to what is wanted"
    yield from (f"  {name}: {flow(policy)}" for name, policy in draft.tasks.policies.items())


def _rare(tasks: FoundTasks) -> Iterator[str]:
    if tasks.rare:
        yield "  # Too rare in the rows read to learn from; with more rows, turn on:"
        yield from turned_off(tasks.rare)


def _reader(tables: Tables) -> dict[str, str]:
    given = {"path": tables.impressions, "users": tables.users, "videos": tables.videos}
    return {"kind": "impressions", **{name: table.pattern for name, table in given.items() if table}}


def _keys(keys: FoundKeys) -> dict[str, str]:
    named = {"user": keys.user, "video": keys.video, "query_video": keys.query_video, "request": keys.request}
    return {name: column for name, column in named.items() if column}


def _training(table: SampledTable) -> dict[str, Any]:
    """About a hundred steps an epoch at least, in powers of two."""
    size = 2 ** round(math.log2(max(1, table.num_rows / BATCHES)))
    return {
        "batch_size": min(LARGEST_BATCH, max(SMALLEST_BATCH, size)),
        "max_epochs": 10,
        "early_stop": {"patience": 2},
    }

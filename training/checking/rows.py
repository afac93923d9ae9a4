"""Checks of rows and splits: sizes, order in time, repeated impressions, ids that training never met, propensities."""

from collections.abc import Iterator
from itertools import pairwise

import polars as pl

from training.checking.findings import Finding, Level, at
from training.checking.subject import Subject
from training.splits import NAMES, TEST, TRAIN

SMALL = 0.01
REPEATED = 0.01  # of the rows of a split, beyond which its figures are those of rows learnt by heart
MOSTLY_NEW = 0.5
UNJOINED = 0.1
HASHED_ROWS = 200_000


def check_splits(subject: Subject) -> Iterator[Finding]:
    sizes, column = subject.sizes, subject.config.data.split.column
    total = max(1, sum(sizes.values()))
    for name in NAMES:
        share = sizes[name] / total
        if not sizes[name]:
            yield Finding("error", "empty split", name, f"no rows, by column `{column}`")
        elif share < SMALL:
            yield Finding("warning", "small split", name, f"{sizes[name]:,} rows, {share:.2%}")
    if "" in sizes:
        yield Finding("error", "row in no split", at(column), f"{sizes['']:,} rows without a value to split by")
    shares = ", ".join(f"{name} {sizes[name]:,} ({sizes[name] / total:.1%})" for name in NAMES)
    yield Finding("ok", "rows", subject.source, shares)


def check_order(subject: Subject) -> Iterator[Finding]:
    """Test should be later than training, for that is what a ranker meets."""
    if not subject.moments:
        return
    column = subject.moments[0]
    spans = subject.impressions.group_by(subject.which.alias("which")).agg(
        first=pl.col(column).min(), last=pl.col(column).max()
    )
    by_split = {one["which"]: one for one in spans.collect().iter_rows(named=True)}
    ordered = [(name, by_split[at]) for at, name in enumerate(NAMES) if at in by_split]
    for (earlier, one), (later, other) in pairwise(ordered):
        if one["last"] is not None and other["first"] is not None and one["last"] > other["first"]:
            detail = f"rows of {earlier} up to {one['last']}, of {later} from {other['first']}: figures will flatter"
            yield Finding("warning", "split order", at(column), detail)
    spelled_out = ", ".join(f"{name} {one['first']} to {one['last']}" for name, one in ordered)
    yield Finding("ok", "time", at(column), spelled_out)


def check_repeats(subject: Subject) -> Iterator[Finding]:
    """Every copy of a row has its hash, so a sample by hash finds copies wherever they are."""
    identity = _identity(subject)
    flat = [name for name, kind in subject.joined.types.items() if not kind.is_nested()]
    hashed = subject.impressions.select(
        which=subject.which, identity=pl.struct(identity).hash(), row=pl.struct(flat).hash()
    )
    every = max(1, sum(subject.sizes.values()) // HASHED_ROWS)
    sample = hashed.filter(pl.col("identity") % every == 0).collect()
    if not sample.height:
        return
    copies = 1 - sample["row"].n_unique() / sample.height
    if copies:
        yield Finding(
            "warning", "duplicate rows", subject.source, f"{copies:.2%} of the rows are exact copies of others"
        )
    train = sample.filter(pl.col("which") == 0)["identity"].unique().implode()
    for index, name in enumerate(NAMES[1:], 1):
        rows = sample.filter(pl.col("which") == index)
        shared = float(rows["identity"].is_in(train).to_numpy().mean()) if rows.height else 0.0
        if shared:
            detail = f"{shared:.2%} of its impressions are in {TRAIN} too (equal {', '.join(identity)})"
            level: Level = "error" if shared > REPEATED else "warning"
            yield Finding(level, "overlap", f"{name} and {TRAIN}", detail)


def _identity(subject: Subject) -> list[str]:
    """What makes two rows one impression: who, what, and the request or the moment; else all but the split's column."""
    keys, split = subject.config.data.keys, subject.config.data.split.column
    if keys.request:
        return [keys.user, keys.video, keys.request]
    if subject.moments:
        return [keys.user, keys.video, *subject.moments]
    flat = [name for name in subject.joined.kept if not subject.joined.types[name].is_nested()]
    return [name for name in flat if name != split or name in (keys.user, keys.video)]


def check_ids(subject: Subject) -> Iterator[Finding]:
    """How many users and videos of test are new to the ranker, and how many have no row in their own table."""
    keys, table = subject.config.data.keys, subject.joined.table
    for what, key, known in (("users", keys.user, table.users), ("videos", keys.video, table.videos)):
        ids = subject.impressions.select(id=pl.col(key), which=subject.which)
        if num_without := int(ids.select(pl.col("id").is_null().sum()).collect().item()):
            yield Finding("warning", "row without id", at(key), f"{num_without:,} rows")
        met = ids.drop_nulls("id").group_by("id").agg(*(_met(name) for name in (TRAIN, TEST))).collect()
        yield from _new_ids(met, what, key)
        unknown = met["id"].is_in(known[key].implode()).not_().to_numpy() if known is not None else None
        if unknown is not None and unknown.size and unknown.mean() > UNJOINED:
            detail = f"{unknown.mean():.1%} of them have no row in the table of {what}: are the ids alike?"
            yield Finding("warning", "no row to join", f"{what}, {key}", detail)


def _met(split: str) -> pl.Expr:
    return (pl.col("which") == NAMES.index(split)).any().alias(split)


def _new_ids(met: pl.DataFrame, what: str, key: str) -> Iterator[Finding]:
    tested = met.filter(TEST)
    if tested.height:
        new = float((~tested[TRAIN]).to_numpy().mean())
        detail = f"{met.height:,} in all; {new:.1%} of the {tested.height:,} in {TEST} are not in {TRAIN}"
        unusual = new > MOSTLY_NEW
        yield Finding("warning" if unusual else "ok", f"new {what}" if unusual else what, key, detail)


def check_propensities(subject: Subject) -> Iterator[Finding]:
    """Training never reads them, so nothing here is an error; `watchnext replay` refuses what is wrong."""
    column, impressions = subject.config.data.propensity, subject.impressions
    if column is None:
        return
    kind = impressions.collect_schema().get(column)
    if kind is None or not kind.is_numeric():
        found = "no column of that name" if kind is None else f"of type {kind}"
        yield Finding("warning", "propensity", at(column), f"{found}: `watchnext replay` needs probabilities")
        return
    given = pl.col(column).drop_nulls()
    num, num_wrong = (
        impressions.select(num=given.len(), wrong=((given > 0) & (given <= 1)).not_().sum()).collect().row(0)
    )
    if num_wrong:
        yield Finding("warning", "propensity", at(column), f"{num_wrong:,} rows are not above 0 and at most 1")
    else:
        share = num / max(1, sum(subject.sizes.values()))
        yield Finding("ok" if num else "warning", "propensity", at(column), f"{num:,} rows have one ({share:.1%})")

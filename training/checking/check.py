"""Check: a config held against its data, before hours are spent on training."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from training.checking.features import check_features
from training.checking.findings import Finding, as_errors, of_mistake
from training.checking.labels import check_labels
from training.checking.rows import check_ids, check_order, check_propensities, check_repeats, check_splits
from training.checking.subject import Subject
from training.config import RunConfig
from training.dataset import Preparation

CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    *(check_splits, check_order, check_repeats, check_ids, check_propensities),
    *(check_labels, check_features),
)


def check(config: RunConfig) -> list[Finding]:
    """Never raises for what is wrong with a config or its data: those are findings of level `error`."""
    findings = [
        of_mistake("label in features" if one.where.endswith(".label") else "config", one) for one in config.mistakes()
    ]
    subject = None if findings else _open(config, findings)
    if subject is not None:
        for run in CHECKS:
            with as_errors(findings, "unreadable data", subject.source):
                findings.extend(run(subject))
    # One table is meant throughout; its name in every place would only make the places hard to read.
    source = f"{subject.source}: " if subject else ""
    return list(dict.fromkeys(replace(one, where=one.where.removeprefix(source)) for one in findings))


def _open(config: RunConfig, findings: list[Finding]) -> Subject | None:
    """None where the rest cannot be checked."""
    with as_errors(findings, "unreadable data", "data.reader"):
        table = config.read()
    if not findings:
        with as_errors(findings, "missing column", table.source):
            joined = Preparation(table, config.feature_schema, config.tasks, config.data.split).joined()
    if not findings:
        with as_errors(findings, "split", table.source):
            return Subject(config, joined, config.data.split.assign(joined.types[config.data.split.column]))
    return None

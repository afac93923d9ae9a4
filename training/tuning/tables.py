"""The trials of a study for the terminal, the best first."""

import json
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState
from rich.table import Table

from training.config import RunConfig
from training.tuning.space import value_at
from training.tuning.study import REASON, values_of
from training.tuning.tune import by_utility

NUM_SHOWN = 5


def trials_table(trials: Sequence[FrozenTrial], config: RunConfig) -> Table:
    counts = {state: sum(trial.state is state for trial in trials) for state in TrialState}
    whole, pruned, failed = (counts[state] for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))
    title = f"{len(trials)} trials: {whole} to the end, {pruned} pruned, {failed} failed"
    reasons = [trial.user_attrs[REASON] for trial in trials if REASON in trial.user_attrs]
    caption = f"the last that failed: {reasons[-1]}" if reasons else None
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    table.add_column("trial", justify="right")
    table.add_column("utility", justify="right")
    table.add_column("where it differs from the config", overflow="fold")
    for trial in by_utility(trials)[:NUM_SHOWN]:
        table.add_row(str(trial.number), f"{trial.value:.4f}", _differences(trial, config))
    return table


def _differences(trial: FrozenTrial, config: RunConfig) -> str:
    values = {place: one for place, one in values_of(trial).items() if one != value_at(config, place)}
    shown = [
        f"{place} {one:.3g}" if isinstance(one, float) else f"{place} {json.dumps(one)}"
        for place, one in values.items()
    ]
    return ", ".join(shown) or "nowhere: the config as it is"

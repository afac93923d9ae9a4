"""The study: what was tried and what it was worth, in a database that outlives the command."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from model.contract.mistakes import mistake
from training.config import RunConfig
from training.tuning.space import Choices, Range, Space, value_at

REASON = "reason"  # why a trial failed; one that was interrupted has none
UNPRUNED_TRIALS = 5  # before there is a median to be below of


@contextmanager
def told_of_database(path: Path) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ or error
        raise mistake(str(path), "a database of trials, readable and writable", str(cause).splitlines()[0]) from error


def open_study(database: Path, name: str, config: RunConfig, space: Space) -> optuna.Study:
    """Begun with the config as it is, or gone on with, the trial that was interrupted first."""
    database.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=f"sqlite:///{database}",
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS),
    )
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    if not study.trials:
        study.enqueue_trial(_own(config, space))
    return study


def ask(study: optuna.Study, space: Space, seed: int) -> optuna.Trial:
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    return study.ask({place: _distribution(values) for place, values in space.items()})


def trials_over(study: optuna.Study) -> list[FrozenTrial]:
    """Trained to the end, pruned, or failed for a reason of their own; in their order."""
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    over = study.get_trials(deepcopy=False, states=states)
    return [trial for trial in over if trial.state is not TrialState.FAIL or REASON in trial.user_attrs]


def values_of(trial: FrozenTrial | optuna.Trial) -> dict[str, Any]:
    """By place; what is no number was kept as JSON."""
    return {place: json.loads(one) if isinstance(one, str) else one for place, one in trial.params.items()}


def _own(config: RunConfig, space: Space) -> dict[str, Any]:
    """What the config has, as far as the space has it."""
    found = {}
    for place, values in space.items():
        own = value_at(config, place)
        if isinstance(values, Range) and values.low <= own <= values.high:
            found[place] = own
        if not isinstance(values, Range) and own in values:
            found[place] = json.dumps(own)
    return found


def _distribution(values: Range | Choices) -> BaseDistribution:
    if not isinstance(values, Range):
        return CategoricalDistribution([json.dumps(one) for one in values])
    if isinstance(values.low, int) and isinstance(values.high, int):
        return IntDistribution(values.low, values.high, log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)

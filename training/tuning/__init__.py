"""Tuning: a search over sizes, learning rate, dropout and balancing, for the utility that the config declares."""

from importlib.util import find_spec

from model.contract.mistakes import mistake

if find_spec("optuna") is None:
    raise mistake("watchnext tune", "optuna (pip install 'watchnext[tune]')", "none installed")

from training.tuning.defaults import default_space
from training.tuning.space import load_space
from training.tuning.tables import trials_table
from training.tuning.tune import Tuning, tune

__all__ = ["Tuning", "default_space", "load_space", "trials_table", "tune"]

"""Values that were encoded once are found again; which features have them is no matter for what comes out."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import training.dataset
import training.encoded_log
import training.known_values
from model.contract.vocabulary import MISSING, UNKNOWN
from tests.training.test_encoded_log import config, write_tables
from training.dataset import Dataset, Preparation, prepare
from training.known_values import KnownValues


@pytest.mark.parametrize("values", [["tv", "phone", "", None], [7, -3, 9, None]], ids=["strings", "numbers"])
def test_a_value_that_is_not_there_has_the_last_code(values: list[object]) -> None:
    array = pl.Series(values).to_arrow()
    known = KnownValues(array, pl.Series([5, 4, MISSING, MISSING, UNKNOWN], dtype=pl.Int32).to_numpy())
    asked = pl.Series([values[1], None, "new" if isinstance(array, pa.LargeStringArray) else 8, values[0]])
    assert known.encode(asked).tolist() == [4, MISSING, UNKNOWN, 5]
    assert known.encode(asked.clear()).tolist() == []


def test_only_few_values_are_looked_up_and_arrays_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(tmp_path)
    run, looked_up = config(tmp_path), list[set[str]]()

    class Log(training.encoded_log.EncodedLog):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            looked_up.append(set(self.known))

    monkeypatch.setattr(training.dataset, "EncodedLog", Log)

    def prepared(name: str) -> Dataset:
        preparation = Preparation(run.read(), run.feature_schema, run.tasks, run.data.split)
        return prepare(preparation, tmp_path / name, lambda *_: None)

    first = prepared("first")
    monkeypatch.setattr(training.known_values, "MOST_VALUES", 4)
    second = prepared("second")
    assert looked_up == [{"hour", "device", "watching"}, {"device"}]
    for name, split in first.splits.items():
        for array, values in split.arrays.items():
            assert values.tobytes() == second.splits[name].arrays[array].tobytes(), array

"""A number: its scaled value, and a bin only where bins are asked for."""

import numpy as np

from model.contract.columns import Numbers
from model.contract.features.interface import Fitted, Table
from model.contract.scaling import Scaler, Transform
from tests.model.builders import encoded, feature

VALUES = [float(value) for value in range(101)]


def fitted(num_bins: int) -> Fitted:
    return Fitted({}, {"age": Scaler.fit(np.array(VALUES), Transform.NONE, num_bins)}, {})


def test_without_bins_there_is_no_table() -> None:
    age = feature(kind="number", name="age", side="user")
    assert set(encoded(age, Numbers.from_values([3]), fitted(0))) == {"age"}
    assert age.tables(fitted(0)) == {}


def test_with_bins_value_and_bin_agree() -> None:
    age = feature(kind="number", name="age", side="user", bins=4, dim=3)
    arrays = encoded(age, Numbers.from_values([0, 30, 60, 99, None, -1e9, 1e9]), fitted(4))
    assert arrays["age.bin"].tolist() == [1, 2, 3, 4, 0, 1, 4]
    assert arrays["age"][:, 1].tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert age.tables(fitted(4)) == {"age.bin": Table(5, 3)}

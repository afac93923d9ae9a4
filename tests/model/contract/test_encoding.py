"""What was fitted survives the disk, and encodes the same ever after."""

from pathlib import Path

import numpy as np
import pytest

from model.contract.encoding import Encoder, load_fitted, save_fitted
from tests.model.builders import full_schema, make_arrays, make_encoder

ENCODER = make_encoder(full_schema())


def test_what_was_fitted_survives_the_disk_bit_for_bit(tmp_path: Path) -> None:
    save_fitted(ENCODER.fitted, tmp_path / "encoder")
    loaded = load_fitted(tmp_path / "encoder")
    assert loaded.scalers == ENCODER.fitted.scalers
    assert loaded.outcome_means == ENCODER.fitted.outcome_means
    assert loaded.vocabularies.keys() == ENCODER.fitted.vocabularies.keys()
    expected = make_arrays(ENCODER, 40)
    for name, array in make_arrays(Encoder(ENCODER.schema, loaded, ENCODER.videos), 40).items():
        np.testing.assert_array_equal(array, expected[name])


def test_what_was_fitted_is_never_written_over(tmp_path: Path) -> None:
    save_fitted(ENCODER.fitted, tmp_path / "encoder")
    with pytest.raises(FileExistsError):
        save_fitted(ENCODER.fitted, tmp_path / "encoder")

"""What every kind of feature promises: the arrays of its specs, row by row, for any values."""

import numpy as np
import pytest

from model.contract.encoding import Encoder, encode, encode_pairs, missing
from model.contract.features import AnyFeature
from model.contract.features.interface import REQUEST_SIDES, Arrays, Feature
from tests.model.builders import encoded, full_schema, kinds, make_arrays, make_encoder, to_columns, values_of

SCHEMA = full_schema()
ENCODER = make_encoder(SCHEMA)
features = pytest.mark.parametrize("feature", SCHEMA.columns.values(), ids=lambda feature: feature.name)


def check(arrays: Arrays, names: set[str], encoder: Encoder, num_rows: int) -> None:
    tables = encoder.schema.tables(encoder.fitted)
    assert set(arrays) == names
    for name, array in arrays.items():
        spec = encoder.schema.specs[name]
        assert array.shape == (num_rows, *spec.shape)
        assert array.dtype == (np.float32 if spec.table is None else np.int32)
        if spec.table is None:
            assert np.isfinite(array).all()
        else:
            assert 0 <= array.min(initial=0) <= array.max(initial=0) < tables[spec.table].num_codes


def test_the_builders_have_every_kind() -> None:
    assert {one.kind for one in SCHEMA.features} == {one.model_fields["kind"].default for one in kinds(AnyFeature)}


@features
@pytest.mark.parametrize("num_rows", [0, 1, 40])
def test_arrays_are_as_the_specs_say(feature: Feature, num_rows: int) -> None:
    column = to_columns([feature], {feature.name: values_of(feature, num_rows, np.random.default_rng(1))})
    check(
        encoded(feature, column[feature.name], ENCODER.fitted), {one.name for one in feature.specs}, ENCODER, num_rows
    )


@pytest.mark.parametrize("num_rows", [0, 1, 40])
def test_pair_arrays_are_as_the_specs_say(num_rows: int) -> None:
    arrays = make_arrays(ENCODER, num_rows)
    check(arrays, set(SCHEMA.specs), ENCODER, num_rows)


@features
def test_a_row_alone_is_encoded_as_in_company(feature: Feature) -> None:
    raw = values_of(feature, 30, np.random.default_rng(2))

    def of(values: list[object]) -> Arrays:
        return encoded(feature, to_columns([feature], {feature.name: values})[feature.name], ENCODER.fitted)

    whole, alone = of(raw), [of([value]) for value in raw]
    for name, array in whole.items():
        np.testing.assert_array_equal(array, np.concatenate([one[name] for one in alone]))


@features
def test_missing_is_what_none_becomes(feature: Feature) -> None:
    arrays = missing(ENCODER, [feature.name], num_rows=2)
    for name, array in encode(ENCODER, to_columns([feature], {feature.name: [None]})).items():
        np.testing.assert_array_equal(arrays[name], np.concatenate([array, array]))
        assert array.dtype != np.int32 or not array.any()


def test_one_request_with_many_candidates_equals_its_repeated_rows() -> None:
    num_rows = 50
    arrays = make_arrays(ENCODER, num_rows)
    names = [spec.name for spec in SCHEMA.specs.values() if spec.side in REQUEST_SIDES]
    first = np.zeros(num_rows, dtype=np.int64)
    request = {name: arrays[name][:1] for name in names}
    online = encode_pairs(ENCODER, request, arrays, first)
    repeated = encode_pairs(
        ENCODER, {name: array[first] for name, array in request.items()}, arrays, np.arange(num_rows)
    )
    one_by_one = [
        encode_pairs(ENCODER, request, {name: array[at : at + 1] for name, array in arrays.items()}, first[:1])
        for at in range(num_rows)
    ]
    for name, array in online.items():
        np.testing.assert_array_equal(array, repeated[name])
        np.testing.assert_array_equal(array, np.concatenate([one[name] for one in one_by_one]))

"""A category: one code out of the table that it shares or owns."""

from model.contract.columns import Strings
from model.contract.features.interface import Fitted, Table
from model.contract.vocabulary import Vocabulary
from tests.model.builders import encoded, feature

FITTED = Fitted({"device": Vocabulary.of(["ios", "android"])}, {}, {})


def test_known_unknown_and_missing_have_codes_of_their_own() -> None:
    device = feature(kind="category", name="device", side="context", dim=5)
    column = Strings.from_values(["ios", "android", "tv", "", None])
    assert encoded(device, column, FITTED)["device"].tolist() == [3, 2, 1, 0, 0]
    assert device.tables(FITTED) == {"device": Table(4, 5)}


def test_a_shared_vocabulary_gives_the_same_codes_and_owns_no_table() -> None:
    other = feature(kind="category", name="second_device", side="context", shares="device")
    assert encoded(other, Strings.from_values(["ios"]), FITTED)["second_device"].tolist() == [3]
    assert other.tables(FITTED) == {}
    assert other.specs[0].table == "device"

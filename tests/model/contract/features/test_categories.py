"""Categories: the first values of a set, in codes of the table that it shares or owns."""

from model.contract.columns import StringLists
from model.contract.features.interface import Fitted
from model.contract.vocabulary import Vocabulary
from tests.model.builders import encoded, feature

FITTED = Fitted({"tags": Vocabulary.of(["a", "b", "c"])}, {}, {})


def test_sets_are_cut_padded_and_keep_unknown_apart_from_missing() -> None:
    tags = feature(kind="categories", name="tags", side="candidate", length=3)
    column = StringLists.from_values([["c", "a", "b", "a"], ["?", None, "a"], [], None])
    assert encoded(tags, column, FITTED)["tags"].tolist() == [[4, 2, 3], [1, 0, 2], [0, 0, 0], [0, 0, 0]]


def test_a_shared_vocabulary_gives_the_same_codes_and_owns_no_table() -> None:
    other = feature(kind="categories", name="wanted", side="query", length=1, shares="tags")
    assert encoded(other, StringLists.from_values([["b"]]), FITTED)["wanted"].tolist() == [[3]]
    assert other.tables(FITTED) == {}
    assert other.specs[0].table == "tags"

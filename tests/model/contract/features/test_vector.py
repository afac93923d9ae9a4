"""A vector: as it came, or zeros with a flag."""

from model.contract.columns import Vectors
from model.contract.features.interface import Fitted
from tests.model.builders import encoded, feature


def test_a_vector_is_used_as_it_comes_and_a_missing_one_is_flagged() -> None:
    title = feature(kind="vector", name="title", side="candidate", length=2)
    column = Vectors.from_values([[1.5, -2], None, [0, 0]], title.shape)
    assert encoded(title, column, Fitted({}, {}, {}))["title"].tolist() == [[1.5, -2, 0], [0, 0, 1], [0, 0, 0]]

"""Style: colours that stay with their tasks."""

import pytest

from training.report.style import colors_of


@pytest.mark.parametrize("count", [1, 8, 20])
def test_every_task_has_a_colour(count: int) -> None:
    names = [f"task{at}" for at in range(count)]
    colors = colors_of(names)
    assert list(colors) == names and len(set(colors.values())) == min(count, 8)

"""Sample: some rows of a table in a bounded number of runs, from all over it."""

from dataclasses import dataclass

import polars as pl

from training.joined import ROW

NUM_RUNS = 20  # each costs a pass over a CSV file


@dataclass(frozen=True, slots=True)
class Sample:
    """`runs` hold neighbouring rows, numbered as in the whole table by ROW; `num_rows` is how many the table has."""

    runs: list[pl.DataFrame]
    num_rows: int

    @property
    def frame(self) -> pl.DataFrame:
        return pl.concat(self.runs)


def spread(frame: pl.LazyFrame, at_most: int) -> Sample:
    """Runs rather than single rows, so that requests stay whole; all rows where there are no more than `at_most`.

    A log is in the order of time: its first rows would know nothing of its last days.
    """
    num_rows = int(frame.select(pl.len()).collect().item())
    length = num_rows if num_rows <= at_most else at_most // NUM_RUNS
    starts = [0] if num_rows <= at_most else [at * (num_rows - length) // (NUM_RUNS - 1) for at in range(NUM_RUNS)]
    runs = [frame.slice(start, length).with_row_index(ROW, offset=start) for start in starts]
    return Sample(pl.collect_all(runs), num_rows)

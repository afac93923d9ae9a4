"""Shows reduced precision: what it costs in quality, and what it saves."""

from training.evidence.serving import ReducedPrecision
from training.metrics import metric_name
from training.precision import LEAST_AGREEMENT, MOST_LOST, TOP
from training.report.exhibit import Cell, Exhibit, Table, figure


def draw(found: ReducedPrecision) -> Exhibit:
    check = found.check
    rows = [
        [
            Cell(task, under=metric_name(metric)),
            Cell(_figure(check.float32[task])),
            Cell(_figure(check.reduced[task])),
        ]
        for task, metric in check.metric.items()
    ]
    return Exhibit(
        f"""The service predicts in {found.precision}. It was published so because validation hardly feels it: no task
        loses {MOST_LOST} of its metric, and of the top {TOP} at least {LEAST_AGREEMENT:.0%} stay.""",
        tables=[Table("Validation", ["", "float32", found.precision], rows)],
        notes=[
            f"{check.num_rows:,} rows for the metrics. {check.agreement:.2%} of the top {TOP} in common, over "
            f"{check.num_requests:,} requests with {check.num_candidates:,} candidates each.",
            f"The rank graph took {check.reduced_ms:.2f} ms a request, in float32 {check.float32_ms:.2f} ms (medians, "
            "one thread, the machine that published).",
        ],
    )


def _figure(value: float | None) -> str:
    return figure(float("nan") if value is None else value)

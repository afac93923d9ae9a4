"""WatchNext beside the same weights behind plain FastAPI, LitServe and BentoML, all in one run.

    python -m benchmarks.serving --ranker first --bentoml-python bentoml/bin/python

Real servers, each on one core, a real load generator on another: wrk where it is installed, else httpx. With
--million the start and the memory of a service with a catalog of 1,000,000 videos are measured too. What counts are the
ratios inside this run. BentoML wants other versions of our libraries, hence an environment of its own, which needs
torch and the dependencies of WatchNext too. The last line is one JSON object.
"""

import argparse
import json
import os
import statistics
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.serving.arms import PLAIN, REDUCED, WATCHNEXT, Arm, arms
from benchmarks.serving.load import Load
from benchmarks.serving.million import Start, measure_start
from benchmarks.serving.published import Published
from benchmarks.serving.reference import REFERENCES, published
from benchmarks.serving.rounds import Answers, Effort, Question, ask, largest_gap, median_of
from benchmarks.serving.servers import serving
from benchmarks.serving.share import measure_shares
from benchmarks.serving.summary import AGAIN, USUAL, Ratios, medians, ratios
from benchmarks.serving.workloads import by_arrow, by_ids, by_json
from model.contract.serving import TOLERANCES, Precision

# After tensors of 5,000 candidates glibc keeps the memory of smaller ones, for which torch asked the system before.
TURNS = [
    [USUAL],
    [Question(by_ids(50))],
    [Question(workload(300)) for workload in (by_ids, by_json, by_arrow)],
    *([replace(USUAL, connections=connections)] for connections in (4, 16)),
    [Question(by_ids(5_000))],
    [AGAIN],
]
SERVER_CORE, LOAD_CORE = {1}, {0}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranker", choices=sorted(REFERENCES), default="first", help="the reference ranker")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is asked in turn")
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--bentoml-python", help="the interpreter of an environment that has BentoML")
    parser.add_argument("--million", action="store_true", help="also start with a catalog of 1,000,000 videos")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/serving"), help="folder that keeps the rankers (of this very code)"
    )
    return parser.parse_args()


def one_core(found: Published, asked: list[Arm], num_videos: int, effort: Effort, console: Console) -> Answers:
    """Every service on the same core."""
    starts = {arm.name: partial(serving, arm, found, 1, SERVER_CORE) for arm in asked}
    with ExitStack() as stack:
        exact = {name: stack.enter_context(start()) for name, start in starts.items() if name != REDUCED.name}
        gap = largest_gap(exact, [USUAL.workload, by_json(300)], num_videos)
        console.print(f"all predict the same, within {gap:.1e}")
        if not gap <= TOLERANCES[Precision.FLOAT32]:
            raise SystemExit(f"the services are no measure of each other: predictions differ by {gap}")
    answers, memory = ask(starts, TURNS, num_videos, effort)
    console.print(_figures(answers))
    console.print("memory, beside the others", {name: f"{mib:.0f} MiB" for name, mib in memory.items()})
    return answers


def _figures(answers: Answers) -> Table:
    """Medians over the rounds."""
    table = Table("service", "candidates", "connections", "", "p50 ms", "p95", "p99", "requests/s")
    for (name, question), rounds in sorted(answers.items(), key=lambda both: both[0][1].workload.name):
        one = median_of(rounds)
        figures = (f"{one.p50:.2f}", f"{one.p95:.2f}", f"{one.p99:.2f}", f"{one.requests_per_s:.0f}")
        again = "again" if question.again else ""
        table.add_row(name, question.workload.name, str(question.connections), again, *figures)
    return table


def _spread(found: Ratios) -> Table:
    table = Table("ratio", "median", "least", "most")
    for name, rounds in found.items():
        if rounds:
            table.add_row(name, *(f"{one:.2f}" for one in (statistics.median(rounds), min(rounds), max(rounds))))
    return table


def two_workers_over_one(found: Published, num_videos: int, effort: Effort) -> list[float]:
    """Requests a second, on as many cores as there are workers, with the load beside them."""
    question = replace(USUAL, connections=16)
    starts = {
        "one": partial(serving, WATCHNEXT, found, 1, SERVER_CORE),
        "two": partial(serving, WATCHNEXT, found, 2, SERVER_CORE | LOAD_CORE),
    }
    answers, _ = ask(starts, [[question]], num_videos, effort)
    pairs = zip(answers["two", question], answers["one", question], strict=True)
    return [two.requests_per_s / one.requests_per_s for two, one in pairs]


def main() -> None:
    chosen, console = options(), Console()
    reference, effort = REFERENCES[chosen.ranker], Effort(chosen.rounds, chosen.seconds)
    found = published(reference, chosen.out)
    asked = arms(chosen.bentoml_python)
    console.print("asked:", ", ".join(arm.name for arm in asked), "(of watchnext, reduced, plain, litserve, bentoml)")
    os.sched_setaffinity(0, LOAD_CORE)
    answers = one_core(found, asked, reference.num_videos, effort, console)
    start: Start | None = None
    if chosen.million:
        os.sched_setaffinity(0, SERVER_CORE | LOAD_CORE)
        start = measure_start(published(REFERENCES["million"], chosen.out))
        console.print(start)
        os.sched_setaffinity(0, LOAD_CORE)
    found_ratios = dict(ratios(answers))
    found_ratios["two_workers_over_one"] = two_workers_over_one(found, reference.num_videos, effort)
    with serving(WATCHNEXT, found, 1, SERVER_CORE) as server:
        load = Load(server.url, USUAL.workload, USUAL.workload.bodies(reference.num_videos), 1, effort.seconds)
        found_ratios["model_share"] = measure_shares(load, effort.rounds)
    console.print(_spread(found_ratios))
    figures = medians(found_ratios) | (asdict(start) if start else {})
    console.print(f"p50 is 1/{figures['plain_over_watchnext_p50_fp32']:.1f} of {PLAIN.name} FastAPI")
    print(json.dumps({"ranker": reference.name} | figures))


if __name__ == "__main__":
    main()

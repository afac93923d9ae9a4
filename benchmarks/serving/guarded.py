"""What API keys, limits, an access log and metrics cost, in one run.

    python -m benchmarks.serving.guarded --before ../before

WatchNext with keys, a limit, JSON access logs to a file and its metrics scraped once a second, beside itself with none
of that: no keys, no access log, not scraped (figures are kept all the same: there is no switch for them). With
--before also beside a checkout of an earlier commit, which serves the same reference ranker as it publishes it itself:
commit f76dbd7 had neither keys nor metrics, but logged a line a request where the level let it. 500 candidates by id
over one connection, servers on one core, the load on another, in turn. The last line is one JSON object.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.serving.arms import Arm, serve
from benchmarks.serving.load import Figures, Load
from benchmarks.serving.published import Published
from benchmarks.serving.reference import REFERENCES, published
from benchmarks.serving.servers import Server, serving
from benchmarks.serving.workloads import by_ids
from service.protection.keys import new_key, write_keys
from service.protection.scope import Scope

SERVER_CORE, LOAD_CORE = {1}, {0}
RANKER, USUAL = "first", by_ids(500)
SCRAPE_EVERY_S = 1.0
NEVER_REACHED = "1000000"  # requests a second: the limit is counted, and refuses nobody
PUBLISH = """
import sys; from pathlib import Path
from benchmarks.serving.reference import REFERENCES, published
published(REFERENCES[sys.argv[1]], Path(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True)
class Side:
    """An arm and the registry that it serves."""

    arm: Arm
    published: Published


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="times that each is asked in turn")
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--before", type=Path, help="a checkout of an earlier commit")
    parser.add_argument("--out", type=Path, default=Path("runs/serving"), help="folder that keeps the rankers")
    return parser.parse_args()


def guarded(keys: Path) -> Arm:
    key, presented = new_key(frozenset({Scope.RANK}))
    write_keys(keys, (key,))

    def command(found: Published, port: int, workers: int) -> Sequence[str]:
        limits = ["--api-keys", str(keys), "--key-requests-per-s", NEVER_REACHED, "--key-burst", NEVER_REACHED]
        return [*serve(found.registry, port, workers, "info"), *limits, "--log-format", "json"]

    return Arm("guarded", command, headers={"Authorization": f"Bearer {presented}"})


def plain(name: str, folder: Path | None = None) -> Arm:
    return Arm(name, lambda found, port, workers: serve(found.registry, port, workers, "error"), folder=folder)


def before(checkout: Path, out: Path) -> Side:
    """It publishes the ranker itself: formats of bundles change."""
    folder = (out / "before").resolve()
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    subprocess.run([sys.executable, "-c", PUBLISH, RANKER, str(folder)], cwd=checkout, env=environment, check=True)
    return Side(plain("before", checkout), Published(folder / RANKER))


@contextmanager
def scraping(server: Server) -> Iterator[None]:
    """As Prometheus does, while something else is measured."""
    stopping, url = threading.Event(), str(httpx.URL(server.url).join("/metrics"))

    def scrape() -> None:
        while not stopping.wait(SCRAPE_EVERY_S):
            httpx.get(url, trust_env=False, timeout=30).raise_for_status()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def measure(sides: Sequence[Side], rounds: int, seconds: int) -> dict[str, list[Figures]]:
    """By arm, a figure a round."""
    bodies, found = USUAL.bodies(REFERENCES[RANKER].num_videos), {one.arm.name: [] for one in sides}
    with ExitStack() as stack:
        servers = [(one.arm, stack.enter_context(serving(one.arm, one.published, 1, SERVER_CORE))) for one in sides]
        for _ in range(rounds):
            for arm, server in servers:
                with scraping(server) if arm.name == "guarded" else nullcontext():
                    load = Load(server.url, USUAL, bodies, 1, seconds, arm.headers)
                    found[arm.name].append(load.run())
    return found


def ratio(ones: Sequence[Figures], others: Sequence[Figures], name: str) -> float:
    """The median over rounds: what the machine does in one of them falls on both."""
    pairs = zip(ones, others, strict=True)
    return statistics.median(getattr(one, name) / getattr(other, name) for one, other in pairs)


def main() -> None:
    chosen = options()
    found = published(REFERENCES[RANKER], chosen.out)
    sides = [before(chosen.before, chosen.out)] if chosen.before else []
    os.sched_setaffinity(0, LOAD_CORE)
    with tempfile.TemporaryDirectory() as folder:
        sides = [Side(guarded(Path(folder) / "keys.json"), found), Side(plain("plain"), found), *sides]
        answers = measure(sides, chosen.rounds, chosen.seconds)
    for name, rounds in answers.items():
        medians = {quantile: statistics.median(getattr(one, quantile) for one in rounds) for quantile in ("p50", "p99")}
        print(name, {quantile: f"{value:.2f} ms" for quantile, value in medians.items()})
    others = [name for name in answers if name != "guarded"]
    figures = {
        f"guarded_over_{other}_{quantile}": ratio(answers["guarded"], answers[other], quantile)
        for other in others
        for quantile in ("p50", "p99")
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

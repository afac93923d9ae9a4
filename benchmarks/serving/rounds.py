"""Rounds: every service answers the same requests in turn, several times over, so that no noisy minute decides.

What is compared is asked within seconds, for what else the host does changes within minutes: each turn, one question or
a few, goes to all services, one right after the other. All but the one that is asked are halted: the processes of some
wake now and then though nobody asks them, and what they push out of the caches costs a short request a fifth of its
p50. Each round starts all anew: where the memory of a process comes to lie decides on a tenth.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace

import httpx

from benchmarks.serving.load import Figures, Load
from benchmarks.serving.servers import Server
from benchmarks.serving.workloads import Workload

WARM_UP_S = 1  # unmeasured, before each question: what was halted, or has just started, has other things to do first
PAUSE_S = 0.5  # some go on computing what nobody waits for any more


@dataclass(frozen=True, slots=True)
class Effort:
    """How many rounds, each of how many seconds."""

    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Question:
    """One workload over so many connections; `again` after other workloads, which may have changed the process."""

    workload: Workload
    connections: int = 1
    again: bool = False


Servers = Mapping[str, Server]
Started = Callable[[], AbstractContextManager[Server]]
Answers = Mapping[tuple[str, Question], Sequence[Figures]]


def ask(
    services: Mapping[str, Started], turns: Sequence[Sequence[Question]], num_videos: int, effort: Effort
) -> tuple[Answers, Mapping[str, float]]:
    """By service and question, the figures of each round, and the MiB of memory of each service in the end, beside the
    others: its part of what it has in common with them. Arrow is asked of WatchNext alone, which is named first.
    """
    memory: dict[str, float] = {}
    found: dict[tuple[str, Question], list[Figures]] = {}
    bodies = {one.workload: one.workload.bodies(num_videos) for turn in turns for one in turn}

    def answered(server: Server, question: Question) -> Figures:
        load = Load(server.url, question.workload, bodies[question.workload], question.connections, WARM_UP_S)
        load.run()
        time.sleep(PAUSE_S)
        figures = replace(load, seconds=effort.seconds).run()
        time.sleep(PAUSE_S)
        return figures

    for _ in range(effort.rounds):
        with ExitStack() as stack:
            servers = {name: stack.enter_context(_halted(start)) for name, start in services.items()}
            for turn in turns:
                for name, server in servers.items():
                    is_first = name == next(iter(services))
                    with server.awake():
                        for question in (one for one in turn if is_first or not one.workload.is_arrow):
                            found.setdefault((name, question), []).append(answered(server, question))
            memory = {name: server.memory_mib() for name, server in servers.items()}
    return found, memory


@contextmanager
def _halted(start: Started) -> Iterator[Server]:
    with start() as server:
        try:
            server.halt()
            yield server
        finally:
            server.go_on()  # what is halted does not end when it is told to


def median_of(figures: Sequence[Figures]) -> Figures:
    names = Figures.__dataclass_fields__
    return Figures(**{name: statistics.median(getattr(one, name) for one in figures) for name in names})


def largest_gap(servers: Servers, workloads: Sequence[Workload], num_videos: int) -> float:
    """Between what WatchNext, named first, and any other service predicts of the same candidates: they compute one and
    the same ranker.
    """
    gaps = [0.0]
    for workload in workloads:
        body = workload.bodies(num_videos)[0]
        expected, *others = (_predictions(server, workload, body) for server in servers.values())
        gaps += [
            abs(found[id_][task] - value)
            for found in others
            for id_, by_task in expected.items()
            for task, value in by_task.items()
        ]
    return max(gaps)


def _predictions(server: Server, workload: Workload, body: bytes) -> dict[str, dict[str, float]]:
    headers = {"Content-Type": workload.media_type}
    answer = httpx.post(server.url, content=body, headers=headers, timeout=30, trust_env=False).raise_for_status()
    return {one["id"]: one["predictions"] for one in answer.json()["ranking"]}

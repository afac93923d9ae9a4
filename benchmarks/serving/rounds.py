"""Rounds: every service answers the same requests in turn, several times over, so that no noisy minute decides.

A service is alone while it is asked: the processes of some wake now and then though nobody asks them, and what they
push out of the caches costs a short request a fifth of its p50. Each round starts it anew: where the memory of a
process comes to lie decides on a tenth.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import httpx

from benchmarks.serving.load import Figures, Load
from benchmarks.serving.servers import Server
from benchmarks.serving.workloads import Workload

WARM_UP_S = 1  # of each service, unmeasured: what starts goes on starting after it says that it is ready
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
Answers = dict[tuple[str, Question], Figures]


def ask(
    services: Mapping[str, Started], questions: Sequence[Question], num_videos: int, effort: Effort
) -> tuple[Answers, Mapping[str, float]]:
    """By service and question, and the MiB of memory of each in the end. Questions are asked in this order; Arrow of
    WatchNext alone, which is named first.
    """
    memory: dict[str, float] = {}
    found: dict[tuple[str, Question], list[Figures]] = {}
    bodies = {one.workload: one.workload.bodies(num_videos) for one in questions}

    def answered(server: Server, question: Question, seconds: int) -> Figures:
        workload = question.workload
        figures = Load(server.url, workload, bodies[workload], question.connections, seconds).run()
        time.sleep(PAUSE_S)
        return figures

    for _ in range(effort.rounds):
        for name, start in services.items():
            own = [one for one in questions if name == next(iter(services)) or not one.workload.is_arrow]
            with start() as server:
                for question in {one.workload.media_type: one for one in reversed(own)}.values():
                    answered(server, question, WARM_UP_S)
                for question in own:
                    found.setdefault((name, question), []).append(answered(server, question, effort.seconds))
                memory[name] = server.memory_mib()
    return {key: _median(figures) for key, figures in found.items()}, memory


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


def _median(figures: Sequence[Figures]) -> Figures:
    names = Figures.__dataclass_fields__
    return Figures(**{name: statistics.median(getattr(one, name) for one in figures) for name in names})

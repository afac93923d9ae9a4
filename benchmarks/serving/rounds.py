"""Rounds: every service answers the same requests in turn, several times over, so that a noisy minute is everyone's."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from benchmarks.serving.load import Figures, Load
from benchmarks.serving.servers import Server
from benchmarks.serving.workloads import Workload


@dataclass(frozen=True, slots=True)
class Effort:
    """How many rounds, each of how many seconds."""

    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Question:
    """One workload over so many connections."""

    workload: Workload
    connections: int = 1


Answers = dict[tuple[str, Question], Figures]


def ask(servers: Mapping[str, Server], questions: Sequence[Question], num_videos: int, effort: Effort) -> Answers:
    """By service and question; Arrow is asked of WatchNext alone, which is named first."""
    found: dict[tuple[str, Question], list[Figures]] = {}
    bodies = {one.workload: one.workload.bodies(num_videos) for one in questions}
    for _ in range(effort.rounds):
        for question in questions:
            for name in list(servers)[: 1 if question.workload.is_arrow else None]:
                load = Load(
                    servers[name].url,
                    question.workload,
                    bodies[question.workload],
                    question.connections,
                    effort.seconds,
                )
                found.setdefault((name, question), []).append(load.run())
    return {key: _median(figures) for key, figures in found.items()}


def largest_gap(servers: Mapping[str, Server], workloads: Sequence[Workload], num_videos: int) -> float:
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

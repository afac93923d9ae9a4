"""The client against a service in a process of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.client import AsyncClient, Client, Connection, ServiceError
from model.contract.combination import Combination, Policy
from model.contract.request import Candidate, Interaction, RankRequest, User
from tests.service.server import Server, serving
from tests.service.small_bundle import TASKS, VERSION, publish

REQUEST = RankRequest(
    user=User(id="u1", history=[Interaction(video_id="v3", outcomes={"like": True})]),
    candidates=["v1", "v2", Candidate(id="new", features={"duration_s": 12.5, "tags": ["music"]})],
    policy=Policy(combination=Combination.WEIGHTED_SUM, weights={"like": 1.0}),
    top_k=2,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    registry = tmp_path_factory.mktemp("client") / "registry"
    publish(registry)
    with serving(registry, "--features-path", str(registry.parent / "features.sqlite")) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture(scope="module")
def connection(server: Server) -> Connection:
    return Connection(f"http://127.0.0.1:{server.port}", timeout_s=10)


def test_it_reads_all_that_the_service_answers(connection: Connection) -> None:
    with Client(connection) as client:
        assert client.ready().version == VERSION
        assert [one.name for one in client.model().tasks] == [task.name for task in TASKS]
        answer = client.rank(REQUEST)
        assert (answer.version, answer.policy, len(answer.ranking)) == (VERSION, None, 2)
        assert answer.ranking[0].predictions.keys() == {task.name for task in TASKS}
        assert [(one.kind, one.ids) for one in answer.warnings] == [("unknown_candidate", ["new"])]
        with pytest.raises(ServiceError) as told:
            client.rank({"candidates": ["v1"], "polcy": "balanced"})
        assert [(one.where, one.nearest) for one in told.value.problem.errors] == [("polcy", "policy")]


def test_what_it_stores_is_ranked_as_if_it_were_in_the_request(connection: Connection) -> None:
    features = {"duration_s": 12.5, "tags": ["music"]}
    given = REQUEST.model_copy(update={"candidates": ["v1", Candidate(id="later", features=features)]})
    by_id = REQUEST.model_copy(update={"candidates": ["v1", "later"]})
    with Client(connection) as client:
        assert [one.kind for one in client.rank(by_id).warnings] == ["unknown_candidate"]
        client.put_video("later", features)
        stored = client.rank(by_id)
        assert stored.ranking == client.rank(given).ranking and not stored.warnings
        with pytest.raises(ServiceError, match="duration"):
            client.put_video("later", {"durations": 1.0})


def test_it_ranks_many_at_once(connection: Connection) -> None:
    async def run() -> set[str]:
        async with AsyncClient(connection) as client:
            answers = await asyncio.gather(*(client.rank(REQUEST) for _ in range(20)))
            return {one.model_dump_json(exclude={"request_id"}) for one in answers}

    assert len(asyncio.run(run())) == 1


def test_without_a_version_it_says_why(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "none") as server,
        Client(Connection(f"http://127.0.0.1:{server.port}", timeout_s=10, retries=0)) as client,
        pytest.raises(ServiceError, match="expected a registry with a live version"),
    ):
        client.ready()

"""The authorisation matrix: every route of the app x what a key may be good for x how a key may be wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from service.app import create_app
from service.http.guarded import Guarded, Open, needs
from service.protection.keys import Presented, new_key, write_keys
from service.protection.scope import WRITING, Scope
from service.settings import Settings
from tests.service.asgi import JSON, call
from tests.service.server import Answer, serving

DOCUMENTATION = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}
REFUSALS = {401, 403}


@dataclass(frozen=True)
class Door:
    method: str
    path: str
    scope: Scope


def doors(app: FastAPI) -> Iterator[Door]:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, Guarded):
            path = re.sub(r"{[^}]*}", "x", context.path or "")
            yield from (Door(method, path, context.original_route.scope) for method in sorted(context.methods or ()))


def with_every_scope(app: FastAPI) -> FastAPI:
    """A route more for each, so that none is missing from the matrix."""

    async def pass_through() -> str:
        return "in"

    for scope in Scope:
        router = APIRouter(route_class=needs(scope))
        for method in ("GET", "PUT"):
            router.add_api_route(f"/test/{scope}", pass_through, methods=[method])
        app.include_router(router)
    return app


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Presented]]:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    made = {scope.value: new_key(frozenset({scope})) for scope in Scope}
    made["all"] = new_key(frozenset(Scope))
    gone = datetime.now(UTC) - timedelta(days=1)
    made |= {f"expired {scope}": new_key(frozenset({scope}), expires=gone) for scope in Scope}
    made["expired"] = new_key(frozenset(Scope), expires=gone)
    write_keys(path, tuple(key for key, _ in made.values()))
    return path, {name: presented for name, (_, presented) in made.items()}


@pytest.fixture(scope="module")
def locked(registry: Path, keys: tuple[Path, dict[str, Presented]]) -> FastAPI:
    app = create_app(Settings(registry=registry, api_keys=keys[0], open_metrics=False, host="0.0.0.0"))
    return with_every_scope(app)


def knock(app: FastAPI, door: Door, presented: object = None, **headers: str) -> Answer:
    given = {} if presented is None else {"authorization": f"Bearer {presented}"}
    return call(app, door.method, door.path, [b"{}"], JSON | given | headers)


def test_every_route_says_who_may_use_it(locked: FastAPI) -> None:
    undeclared = {
        context.path
        for context in iter_route_contexts(locked.routes)
        if not isinstance(context.original_route, Guarded | Open)
    }
    assert undeclared == DOCUMENTATION
    found = {context.path for context in iter_route_contexts(locked.routes) if isinstance(context.original_route, Open)}
    inference = {f"/v2/models/{{name}}{version}/ready" for version in ("", "/versions/{version}")}
    assert found == {"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"} | inference
    assert {door.scope for door in doors(locked)} == set(Scope)
    assert {door.path for door in doors(locked)} >= {"/v1/rank", "/v1/model"}


def test_the_matrix_has_every_operation_of_the_document(app: FastAPI) -> None:
    document = call(app, "GET", "/openapi.json").json
    told = {
        (method.upper(), re.sub(r"{[^}]*}", "x", path))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    }
    assert {(door.method, door.path) for door in doors(app)} == told


def wrong_keys(presented: dict[str, Presented]) -> list[Presented | str | None]:
    """None, expired ones, those of another's secret, and what is no key: of every scope, and of all."""
    whose = [*Scope, "all"]
    expired = [presented[f"expired {scope}"] for scope in Scope] + [presented["expired"]]
    mixed = [Presented(presented[one].id, presented["expired"].secret) for one in whose]
    unknown = [Presented("00000000", presented[one].secret) for one in whose]
    return [None, *expired, *mixed, *unknown, "x"]


def test_the_matrix(locked: FastAPI, keys: tuple[Path, dict[str, Presented]]) -> None:
    presented = keys[1]
    for door in doors(locked):
        for one in wrong_keys(presented):
            answer = knock(locked, door, one)
            assert (answer.status, answer.is_problem or "error" in answer.json) == (401, True), (door, one)
            assert answer.headers["www-authenticate"].startswith('Bearer realm="watchnext"')
        for scope in Scope:
            status = knock(locked, door, presented[scope]).status
            assert (status == 403) == (scope is not door.scope) and status != 401, (door, scope, status)
        assert knock(locked, door, presented["all"]).status not in REFUSALS


def test_probes_and_the_documentation_ask_for_no_key(locked: FastAPI, keys: tuple[Path, dict[str, Presented]]) -> None:
    for context in iter_route_contexts(locked.routes):
        if not isinstance(context.original_route, Guarded):
            door = Door("GET", re.sub(r"{[^}]*}", "x", context.path or ""), Scope.RANK)
            for one in (None, keys[1]["expired"], "x"):
                assert knock(locked, door, one).status not in REFUSALS


def test_the_matrix_over_a_real_connection(
    registry: Path, app: FastAPI, keys: tuple[Path, dict[str, Presented]]
) -> None:
    """Of every scope the first door, with keys that have nothing to change there."""
    by_scope = {door.scope: door for door in doors(app)}
    with serving(registry, "--api-keys", str(keys[0]), "--open-metrics", "false") as server:
        for door in by_scope.values():
            for one in wrong_keys(keys[1]):
                given = {} if one is None else {"authorization": f"Bearer {one}"}
                assert server.ask(door.method, door.path, b"{}", JSON | given).status == 401, (door, one)
            for scope in Scope:
                given = {"authorization": f"Bearer {keys[1][scope]}"}
                status = server.ask(door.method, door.path, b"{}", JSON | given).status
                assert (status == 403) == (scope is not door.scope) and status != 401, (door, scope, status)


def test_without_keys_on_loopback_all_is_open_but_to_web_pages(registry: Path) -> None:
    app = with_every_scope(create_app(Settings(registry=registry)))
    for door in doors(app):
        assert knock(app, door).status not in REFUSALS
        answer = knock(app, door, origin="https://evil.example")
        assert (answer.status == 403) == (door.scope in WRITING)


def test_without_keys_beyond_loopback_nobody_writes(registry: Path) -> None:
    app = with_every_scope(create_app(Settings(registry=registry, host="0.0.0.0")))
    for door in doors(app):
        answer = knock(app, door, "wn_00000000_x")
        assert (answer.status == 403) == (door.scope in WRITING)
        assert answer.status != 403 or "--api-keys" in answer.json["detail"]


def test_administration_can_be_turned_off_and_metrics_opened(
    registry: Path, keys: tuple[Path, dict[str, Presented]]
) -> None:
    app = with_every_scope(create_app(Settings(registry=registry, api_keys=keys[0], admin="off")))
    assert knock(app, Door("GET", "/test/admin", Scope.ADMIN), keys[1]["all"]).status == 403
    assert knock(app, Door("GET", "/test/metrics", Scope.METRICS)).status == 200
    assert knock(app, Door("GET", "/test/features", Scope.FEATURES)).status == 401


def test_nothing_of_a_body_is_read_before(locked: FastAPI) -> None:
    endless = [b"x" * 1_000_000] * 3
    assert call(locked, "POST", "/v1/rank", endless).status == 401


def test_a_key_has_its_limit(registry: Path, tmp_path: Path) -> None:
    limited, free = new_key(frozenset({Scope.RANK})), new_key(frozenset({Scope.RANK}), requests_per_s=1e6, burst=1000)
    write_keys(tmp_path / "keys.json", (limited[0], free[0]))
    settings = Settings(registry=registry, api_keys=tmp_path / "keys.json", key_requests_per_s=0.01, key_burst=3)
    app = create_app(settings)
    door = Door("GET", "/v1/model", Scope.RANK)
    answers = [knock(app, door, limited[1]) for _ in range(6)]
    assert [answer.status == 429 for answer in answers] == [False] * 3 + [True] * 3
    assert answers[-1].is_problem and 90 <= int(answers[-1].headers["retry-after"]) <= 100
    assert all(knock(app, door, free[1]).status != 429 for _ in range(20))


def test_the_document_tells_which_operations_need_a_key(app: FastAPI) -> None:
    document = call(app, "GET", "/openapi.json").json
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    guarded = {(door.path, door.method.lower()) for door in doors(app)}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert ("security" in operation) == ((re.sub(r"{[^}]*}", "x", path), method) in guarded)

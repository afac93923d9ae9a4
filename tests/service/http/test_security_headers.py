"""What browsers are told: of every answer, and whose pages may call."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from service.app import create_app
from service.settings import Settings
from tests.service.asgi import call

ORIGIN = "https://www.example.com"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/healthz"), ("GET", "/v1/model"), ("GET", "/none"), ("PUT", "/v1/rank"), ("GET", "/openapi.json")],
)
def test_every_answer_has_them(app: FastAPI, method: str, path: str) -> None:
    headers = call(app, method, path).headers
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_documentation_may_load_what_it_names(app: FastAPI, path: str) -> None:
    answer = call(app, "GET", path)
    policy = answer.headers["content-security-policy"]
    loaded = [one.split('"')[0] for one in answer.body.decode().split('src="')[1:]]
    loaded += [one.split('"')[0] for one in answer.body.decode().split('href="')[1:] if "http" in one[:5]]
    assert loaded and all(one.split("/")[2] in policy for one in loaded)


def test_pages_of_others_may_not_call(app: FastAPI) -> None:
    assert "access-control-allow-origin" not in call(app, "GET", "/healthz", headers={"origin": ORIGIN}).headers


def test_pages_of_named_origins_may(registry: Path) -> None:
    app = create_app(Settings(registry=registry, cors_origins=f"{ORIGIN}, http://localhost:3000"))
    answer = call(app, "GET", "/healthz", headers={"origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    assert call(app, "OPTIONS", "/v1/rank", headers=asked).status == 200
    refused = call(app, "OPTIONS", "/v1/rank", headers=asked | {"origin": "https://evil.example"})
    assert refused.status == 400 and "access-control-allow-origin" not in refused.headers

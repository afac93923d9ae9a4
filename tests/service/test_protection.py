"""Protection of a real server: TLS, keys over the wire, and no secret anywhere that it writes."""

import http.client
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.protection.keyring import LOOK_EVERY_S
from service.protection.keys import Presented, new_key, write_keys
from service.protection.scope import Scope
from tests.service.server import Answer, Server, serving, wait_for

REQUEST = b'{"candidates": ["v1", "v2"]}'
PASSWORD = "the-password-of-the-key"


def as_(presented: object) -> dict[str, str]:
    return {"authorization": f"Bearer {presented}", "content-type": "application/json"}


def test_keys_are_rotated_in_every_worker_and_no_secret_is_written(registry: Path, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    scopes = frozenset({Scope.RANK})
    old, new = new_key(scopes), new_key(scopes)
    expired = new_key(scopes, expires=datetime.now(UTC) - timedelta(days=1))
    write_keys(path, (old[0], expired[0]))
    wrong = Presented(old[0].id, new[1].secret)
    answers: list[Answer] = []

    def ask(server: Server, presented: object) -> Answer:
        answers.append(server.ask("POST", "/v1/rank", REQUEST, as_(presented)))
        return answers[-1]

    with serving(registry, "--api-keys", str(path), "--workers", "2", "--log-level", "debug") as server:
        server.wait_until_ready()
        assert ask(server, old[1]).status == 200
        assert {ask(server, one).status for one in (new[1], expired[1], wrong, "x", "")} == {401}
        assert server.ask("GET", f"/none?key={old[1]}", headers=as_(old[1])).status == 404
        write_keys(path, (new[0],))
        time.sleep(LOOK_EVERY_S + 0.1)  # after which no worker goes by what it had read, whichever is asked
        assert {ask(server, old[1]).status for _ in range(20)} == {401}
        assert {ask(server, new[1]).status for _ in range(20)} == {200}
        path.write_text("{")
        wait_for(lambda: ask(server, new[1]), lambda _: "kept the last good API keys" in server.log_text)
        assert ask(server, new[1]).status == 200
        written = server.log_text + "".join(answer.body.decode() + str(answer.headers) for answer in answers)
    for key, presented in (old, new, expired):
        assert presented.secret not in written and key.hash not in written


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Self-signed, for localhost; its key, which has a password, lies beside it."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-passout", f"pass:{PASSWORD}"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    return folder / "certificate.pem"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_https(registry: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch, workers: str) -> None:
    monkeypatch.setenv("WATCHNEXT_TLS_KEY_PASSWORD", PASSWORD)
    options = ["--tls-certificate", str(certificate), "--tls-key", str(certificate.with_name("key.pem"))]
    with serving(registry, *options, "--workers", workers) as server:
        context = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection("localhost", server.port, timeout=60, context=context)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.headers["strict-transport-security"]
        connection.close()
        with pytest.raises((OSError, http.client.HTTPException)):
            server.ask("GET", "/readyz")
        assert "listening on https://" in server.log_text and PASSWORD not in server.log_text
        assert "Traceback" not in server.log_text


def test_a_wrong_password_refuses_to_start(registry: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHNEXT_TLS_KEY_PASSWORD", "another")
    options = ["--tls-certificate", str(certificate), "--tls-key", str(certificate.with_name("key.pem"))]
    with (
        pytest.raises(AssertionError, match="tls-certificate: expected a readable certificate"),
        serving(registry, *options),
    ):
        pass

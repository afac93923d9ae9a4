"""`watchnext-serve`: options are settings, mistakes are one line."""

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

import service.settings
from service.cli import main, read_settings
from service.settings import Settings
from tests.service.server import serving, wait_for


def test_options_and_variables_are_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHNEXT_MAX_CANDIDATES", "7")
    monkeypatch.setenv("WATCHNEXT_PORT", "1")
    settings = read_settings(["--registry", "r", "--port", "0", "--registry-poll-s", "0.5"])
    assert (settings.registry, settings.port, settings.max_candidates) == ("r", 0, 7)
    assert (settings.registry_poll_s, settings.host) == (0.5, "127.0.0.1")


def test_a_worker_reads_the_same_settings_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        registry=Path("r"),
        max_body_bytes=5,
        log_level="error",
        registry_poll_s=0.25,
        redis_url=SecretStr("redis://:pw@h"),
    )
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


@pytest.mark.parametrize(
    ("workers", "threads", "expected"), [(1, 1, 8), (2, 1, 4), (2, 2, 2), (8, 1, 1), (3, 4, 1), (100, 1, 1)]
)
def test_workers_and_their_threads_share_the_cores(
    monkeypatch: pytest.MonkeyPatch, workers: int, threads: int, expected: int
) -> None:
    monkeypatch.setattr(service.settings, "num_cores", lambda: 8)
    assert Settings(registry=Path("r"), workers=workers, runtime_threads=threads).requests_at_once == expected


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--registry: expected a value (it is required), found nothing"),
        (["--registry", "r", "--port", "70000"], "--port: expected less than or equal to 65535, found `70000`"),
        (["--registry", "r", "--workers", "none"], "--workers: expected a valid integer"),
        (["--registry", "r", "--max-candidates", "0"], "--max-candidates: expected greater than or equal to 1"),
        (["--registry", "r", "--registry-poll-s", "nan"], "--registry-poll-s: expected"),
        (["--registry", "r", "--log-level", "loud"], "--log-level: expected 'debug', 'info', 'warning' or 'error'"),
        (["--registry", "r", "--feature-store", "rediss"], "--feature-store: expected 'embedded' or 'redis'"),
        (["--registry", "r", "--feature-store", "redis"], "--redis-url: expected redis://host:port"),
        (["--registry", "r", "--features-path", "/dev/null/f"], "/dev/null/f: expected"),
        (["--registry", "no-such://r"], "--registry: expected a folder, or a URL that fsspec knows"),
        (["--registry", "r", "--traces-endpoint", "collector"], "--traces-endpoint: expected an address like http://"),
        (["--registry", "r", "--api-keys", "none.json"], "none.json: expected a file of keys"),
        (["--registry"], "argument --registry: expected one argument"),
        (["--registry", "r", "--prt", "1"], "unrecognized arguments: --prt 1"),
        (["--registry", "r", "--host", "no.such.host.invalid"], "--host, --port: expected a free address"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    output = capsys.readouterr()
    assert (stopped.value.code, output.out) == (2, "")
    assert output.err.startswith(f"watchnext-serve: {told}") and output.err.count("\n") == 1


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as stopped:
        main(["--registry", "r", "--port", str(taken.getsockname()[1])])
    assert stopped.value.code == 2
    assert "ddress already in use" in capsys.readouterr().err


def test_help_shows_every_setting_and_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    shown = capsys.readouterr().out
    assert stopped.value.code == 0
    assert "Example: watchnext-serve --registry" in shown
    assert all(f"--{name.replace('_', '-')}" in shown for name in Settings.model_fields)


def test_several_workers_serve_and_stop(registry: Path) -> None:
    with serving(registry, "--workers", "2") as server:
        server.wait_until_ready()
        # Whichever worker takes a connection, it has loaded the version: the slower one takes none before.
        assert {server.rank({"candidates": ["v1"]}).status for _ in range(100)} == {200}
        wait_for(lambda: server.ask("GET", "/readyz"), lambda _: server.log_text.count("serving version") == 2)
        server.process.terminate()
        assert server.process.wait(30) == 0
        assert "Traceback" not in server.log_text

"""What refuses to start, and what an operator is told."""

from pathlib import Path
from typing import Any

import pytest

from model.contract import kernels
from model.contract.mistakes import InputError
from service.app import from_environment
from service.cli import main
from service.protection.startup import check_tls, exposure, guard_of
from service.settings import Settings


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0", "--admin", "on"], "--admin: expected `--api-keys` beside it"),
        (["--host", "::", "--admin", "on"], "--admin: expected `--api-keys` beside it"),
        (["--host", "localhost.example", "--admin", "on"], "--admin: expected `--api-keys` beside it"),
        (["--tls-key", "key.pem"], "--tls-key: expected `--tls-certificate` beside it"),
        (["--tls-certificate", "none.pem"], "--tls-certificate: expected a readable certificate with its key"),
        (["--tls-key-password", "hunter2"], "--tls-key-password: expected `--tls-key` beside it"),
        (["--open-metrics", "false"], "--open-metrics: expected `--api-keys` beside it"),
        (["--cors-origins", "www.example.com"], "--cors-origins: expected origins like"),
        (["--cors-origins", "https://a.example,https://b.example/path"], "--cors-origins: expected origins like"),
        (["--api-keys", "none.json"], "none.json: expected a file of keys"),
        (["--redis-url", "http://:hunter2@x"], "--redis-url: expected an address like"),
        (["--max-queue", "-1"], "--max-queue: expected"),
        (["--request-timeout-ms", "0"], "--request-timeout-ms: expected"),
    ],
)
def test_what_is_unsafe_or_unreadable_is_one_line(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--registry", "r", "--port", "0", *options])
    output = capsys.readouterr()
    assert (stopped.value.code, output.out) == (2, "")
    assert output.err.startswith(f"watchnext-serve: {told}") and output.err.count("\n") == 1
    assert "hunter2" not in output.err


@pytest.mark.parametrize("more", [{}, {"admin": "on"}, {"host": "::1", "admin": "on"}, {"host": "0.0.0.0"}])
def test_what_is_safe_starts(more: dict[str, Any]) -> None:
    assert guard_of(Settings(registry=Path("r"), **more)).keyring is None


def test_what_is_exposed_is_told() -> None:
    assert not list(exposure(Settings(registry=Path("r"))))
    assert "no API keys" in "".join(exposure(Settings(registry=Path("r"), host="0.0.0.0")))
    with_keys = Settings(registry=Path("r"), host="0.0.0.0", api_keys=Path("k"))
    assert "unencrypted" in "".join(exposure(with_keys))
    assert not list(exposure(with_keys.model_copy(update={"tls_certificate": Path("c")})))


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "certificate.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(InputError, match="tls_certificate: expected a readable certificate with its key, found"):
        check_tls(Settings(registry=Path("r"), tls_certificate=tmp_path / "certificate.pem"))


@pytest.mark.parametrize("compiled", [None, object()])
def test_a_worker_without_the_kernels_says_so(
    compiled: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WATCHNEXT_REGISTRY", "r")
    monkeypatch.setattr(kernels, "COMPILED", compiled)
    from_environment()
    assert ("the kernels were not compiled" in caplog.text) == (compiled is None)


def test_a_worker_without_its_keys_does_not_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The file was good when the service began; the other workers keep what they have read."""
    (tmp_path / "keys.json").write_text("{")
    monkeypatch.setenv("WATCHNEXT_REGISTRY", "r")
    monkeypatch.setenv("WATCHNEXT_API_KEYS", str(tmp_path / "keys.json"))
    with pytest.raises(SystemExit) as stopped:
        from_environment()
    assert stopped.value.code == 2 and "a worker cannot start" in caplog.text and caplog.records[0].exc_info is None

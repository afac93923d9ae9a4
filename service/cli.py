"""The `watchnext-serve` command."""

import logging
import logging.config
import os
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

import uvicorn
from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError
from uvicorn.supervisors import Multiprocess

from model.contract.mistakes import InputError, Mistake, of_validation
from model.contract.registry import open_registry
from service.feature_store import open_store
from service.http.connection import connections
from service.protection.startup import check_tls, exposure, guard_of
from service.settings import Settings
from service.telemetry import traces
from service.telemetry.folder import metrics_folder
from service.telemetry.logs import log_config

logger = logging.getLogger(__name__)
ARRIVAL_GRACE_S = 1.0  # beyond the time that a body has: whoever reads it can still say that it was too slow


def main(arguments: Sequence[str] | None = None) -> None:
    settings = read_settings(sys.argv[1:] if arguments is None else arguments)
    _refuse_unsafe(settings)
    _check_places(settings)
    listener = _listen(settings.host, settings.port)
    os.environ.update(settings.as_environment())
    logging.config.dictConfig(log_config(settings.log_level, settings.log_format))
    scheme = "https" if settings.tls_certificate else "http"
    logger.info("listening on %s://%s:%d", scheme, *listener.getsockname()[:2])
    for line in exposure(settings):
        logger.warning(line)
    # uvicorn repeats the signal after a graceful stop: that is a normal end, not a traceback or a failure.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), metrics_folder():
        _serve(settings, listener)


def read_settings(arguments: Sequence[str]) -> Settings:
    try:
        return CliApp.run(Settings, cli_args=list(arguments))
    except ValidationError as error:
        raise _refusal(*_as_options(of_validation(error, Settings))) from None
    except SettingsError as error:
        raise _refusal(str(error).removeprefix("error parsing CLI: ")) from None


def _refuse_unsafe(settings: Settings) -> None:
    """Before anything listens; the workers would only find it out one by one."""
    try:
        guard_of(settings)
        check_tls(settings)
    except InputError as error:
        raise _refusal(*_as_options(error.mistakes)) from None


def _as_options(mistakes: Iterable[Mistake]) -> list[str]:
    """Their places are names of settings, or paths."""
    known = Settings.model_fields
    return [
        f"--{str(one).replace('_', '-', one.where.count('_'))}" if one.where in known else str(one) for one in mistakes
    ]


def _refusal(*lines: str) -> SystemExit:
    for line in lines:
        sys.stderr.write(f"watchnext-serve: {line} (see --help)\n")
    return SystemExit(2)


def _check_places(settings: Settings) -> None:
    """Here, and not only in each worker, so that what cannot be opened is one line."""
    try:
        open_registry(settings.registry)
        open_store(settings).close()
        traces.check(settings.traces_endpoint)
    except InputError as error:
        raise _refusal(*_as_options(error.mistakes)) from None


def _listen(host: str, port: int) -> socket.socket:
    """Bound here, and not by uvicorn, so that a taken port is one line, and port 0 a number in the log."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=2048)
    except OSError as error:
        raise _refusal(
            f"--host, --port: expected a free address, found {host}:{port}: {error.strerror or error}"
        ) from None


def _serve(settings: Settings, listener: socket.socket) -> None:
    config = uvicorn.Config(
        "service.app:from_environment",
        factory=True,
        workers=settings.workers,
        timeout_graceful_shutdown=settings.graceful_timeout_s,
        log_config=log_config(settings.log_level, settings.log_format),
        log_level=settings.log_level,
        access_log=False,  # ours knows more
        server_header=False,
        http=connections(settings.request_timeout_ms / 1000 + ARRIVAL_GRACE_S),
        loop="service.http.acceptor:SharingLoop" if settings.workers > 1 and sys.platform != "win32" else "auto",
        ws="none",
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        ssl_keyfile_password=settings.tls_password,
    )
    if settings.workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()

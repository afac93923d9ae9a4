"""Settings: everything that an operator decides, from the command line or from WATCHNEXT_ variables."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.feature_store import StoreKind

ENVIRONMENT_PREFIX = "WATCHNEXT_"


def num_cores() -> int:
    """Those that this process may run on, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _text_of(place: object) -> object:
    return str(place) if isinstance(place, Path) else place


class Settings(BaseSettings):
    """Rank candidates over HTTP with the live version of a registry.

    Example: watchnext-serve --registry registry --port 8000
    Then:    curl localhost:8000/v1/rank -H 'Content-Type: application/json' \\
                  -d '{"user": {"id": "u1"}, "candidates": ["v1", "v2"]}'
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        frozen=True,
        allow_inf_nan=False,
        cli_prog_name="watchnext-serve",
        cli_kebab_case=True,
        cli_show_env_vars=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        cli_exit_on_error=False,
    )

    registry: Annotated[str, BeforeValidator(_text_of)] = Field(
        min_length=1, description="where `watchnext train` publishes: a folder, or a URL such as s3://bucket/prefix"
    )
    host: str = Field(default="127.0.0.1", description="the address to listen on; 0.0.0.0 for all")
    port: int = Field(default=8000, ge=0, le=65535, description="0 takes any free port")
    workers: int = Field(default=1, ge=1, le=1024, description="processes; they share the catalog's memory")
    max_candidates: int = Field(default=1000, ge=1, description="candidates of one request")
    max_body_bytes: int = Field(default=1_048_576, ge=1, description="size of a request's body")
    runtime_threads: int = Field(default=1, ge=1, description="threads that compute one request")
    graceful_timeout_s: int = Field(default=30, ge=0, description="seconds that requests may take to end after SIGTERM")

    # The registry, and what is fetched from it: service/registry.
    registry_poll_s: float = Field(default=2.0, gt=0, description="seconds between looks for a change in the registry")
    registry_cache: Path = Field(
        default=Path(os.path.expanduser("~/.cache/watchnext")),
        description="for what is fetched from object storage",
    )

    # Features that change between trainings: service/feature_store.
    feature_store: StoreKind = Field(default="embedded", description="where features written by PUT /v1/features are")
    features_path: Path | None = Field(default=None, description="the SQLite file of the embedded store; else none")
    feature_timeout_ms: float = Field(default=20.0, gt=0, description="how long a request waits for the store redis")
    redis_url: SecretStr | None = Field(
        default=None,
        description="redis://host:port/0, of the store redis and of shared limits; better as variable than as option",
    )

    # Protection and overload: service/protection, service/http/admission.py.
    api_keys: Path | None = Field(default=None, description="the file of API keys (watchnext-keys makes it)")
    admin: Literal["auto", "on", "off"] = Field(
        default="auto", description="/v1/admin; auto: where there are keys, or on loopback"
    )
    open_metrics: bool = Field(default=True, description="whether metrics are open to all, or need a key")
    key_requests_per_s: float | None = Field(default=None, gt=0, description="of a key that has no limit of its own")
    key_burst: int = Field(default=50, ge=1, description="requests at once, within that limit")
    max_queue: int = Field(
        default=32, ge=0, description="requests of a kind that wait in one worker; beyond it 503 at once"
    )
    request_timeout_ms: int = Field(default=10_000, ge=1, description="for a body to arrive, and to wait for its turn")
    drain_s: float = Field(default=0.0, ge=0, description="seconds after SIGTERM that it is not ready, yet answers")
    tls_certificate: Path | None = Field(default=None, description="PEM, with the chain: serve HTTPS")
    tls_key: Path | None = Field(default=None, description="PEM; where the certificate's file has none")
    tls_key_password: SecretStr | None = Field(default=None, description="better as variable: others see options")
    cors_origins: str = Field(default="", description="origins whose pages may call, with commas between them")

    # Sight: service/telemetry.
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="how much is logged")
    log_format: Literal["plain", "json"] = Field(default="plain", description="of the lines on stderr")
    traces_endpoint: str | None = Field(
        default=None, description="where OpenTelemetry spans go, http://HOST:4318/v1/traces; needs the extra `otel`"
    )

    @property
    def allowed_origins(self) -> list[str]:
        return [one.strip() for one in self.cors_origins.split(",") if one.strip()]

    @property
    def tls_password(self) -> str | None:
        return self.tls_key_password.get_secret_value() if self.tls_key_password else None

    @property
    def requests_at_once(self) -> int:
        """That one worker computes: with the threads of each, all workers together use every core, and none twice."""
        return max(1, num_cores() // (self.workers * self.runtime_threads))

    def as_environment(self) -> dict[str, str]:
        """The variables from which a worker process reads these settings again."""
        given = {name: value for name, value in self if value is not None}
        return {f"{ENVIRONMENT_PREFIX}{name.upper()}": _spelled_out(value) for name, value in given.items()}


def _spelled_out(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

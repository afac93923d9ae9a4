"""Settings: everything that an operator decides, from the command line or from WATCHNEXT_ variables."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ENVIRONMENT_PREFIX = "WATCHNEXT_"


def num_cores() -> int:
    """Those that this process may run on, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
        cli_avoid_json=True,
        cli_exit_on_error=False,
    )

    registry: Path = Field(description="the folder that `watchnext train` publishes into")
    host: str = Field(default="127.0.0.1", description="the address to listen on; 0.0.0.0 for all")
    port: int = Field(default=8000, ge=0, le=65535, description="0 takes any free port")
    workers: int = Field(default=1, ge=1, le=1024, description="processes; they share the catalog's memory")
    max_candidates: int = Field(default=1000, ge=1, description="candidates of one request")
    max_body_bytes: int = Field(default=1_048_576, ge=1, description="size of a request's body")
    registry_poll_s: float = Field(default=2.0, gt=0, description="seconds between looks for a new live version")
    runtime_threads: int = Field(default=1, ge=1, description="threads that compute one request")
    graceful_timeout_s: int = Field(default=30, ge=0, description="seconds that requests may take to end after SIGTERM")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="how much is logged")
    log_format: Literal["plain", "json"] = Field(default="plain", description="of the lines on stderr")
    traces_endpoint: str | None = Field(
        default=None, description="where OpenTelemetry spans go, http://HOST:4318/v1/traces; needs the extra `otel`"
    )

    @property
    def requests_at_once(self) -> int:
        """That one worker computes: with the threads of each, all workers together use every core, and none twice."""
        return max(1, num_cores() // (self.workers * self.runtime_threads))

    def as_environment(self) -> dict[str, str]:
        """The variables from which a worker process reads these settings again."""
        return {f"{ENVIRONMENT_PREFIX}{name.upper()}": str(value) for name, value in self if value is not None}

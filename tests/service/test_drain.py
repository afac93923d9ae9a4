"""Drain: a worker that starts. What clients see of it is in test_overload.py."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from service.app import create_app
from service.registry.live import LiveBundle
from service.settings import Settings


def test_a_worker_that_is_told_to_end_while_it_starts_drains_too(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, ended = LiveBundle.start, []

    def told_to_end(live: LiveBundle) -> None:
        start(live)
        os.kill(os.getpid(), signal.SIGTERM)

    async def has_begun() -> bool:
        app = create_app(Settings(registry=registry, drain_s=60))
        async with app.router.lifespan_context(app):
            return app.state.drain.has_begun is True

    monkeypatch.setattr(LiveBundle, "start", told_to_end)
    handler = signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    try:
        assert asyncio.run(has_begun()) and not ended
    finally:
        signal.signal(signal.SIGTERM, handler)

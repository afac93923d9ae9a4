"""Sight: the parts of telemetry, put together for one worker."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from model.contract.bundle import Manifest
from service.errors import NotReady
from service.registry.live import LiveBundle
from service.telemetry.collector import Collector
from service.telemetry.counters import Counters
from service.telemetry.distributions import Distributions
from service.telemetry.folder import FOLDER_VARIABLE
from service.telemetry.recorder import Recorder
from service.telemetry.traces import exporter
from service.telemetry.workers import Worker, Workers


class Sight:
    """`watchnext-serve` makes a folder for all workers; without one (a test, another server) this process has its own,
    and tells of itself alone.
    """

    def __init__(self, live: LiveBundle, traces_endpoint: str | None) -> None:
        """Raises InputError where traces are wanted and their library is missing."""
        self._live = live
        shared = os.environ.get(FOLDER_VARIABLE)
        self._own = None if shared else TemporaryDirectory(prefix="watchnext-", ignore_cleanup_errors=True)
        folder = Path(self._own.name if self._own else str(shared))
        self._registry = CollectorRegistry()
        self.counters = Counters(self._registry)
        self.distributions, self.workers = Distributions(folder), Workers(folder, self._served)
        live.shadow.watchers.append(self.counters.disagreed)
        takers = [
            self.counters.take,
            lambda _: self.counters.follow(live),
            self.distributions.take,
            lambda _: self.workers.tell(),
        ]
        self.recorder = Recorder([*takers, *exporter(traces_endpoint)])

    def figures(self) -> CollectorRegistry:
        """Of all workers, as of now; what others noted within the last second may be missing."""
        self.recorder.flush()
        all_workers = CollectorRegistry()
        if self._own is None:
            MultiProcessCollector(all_workers)  # type: ignore[no-untyped-call]
        else:
            all_workers.register(self._registry)
        all_workers.register(Collector(self.distributions, self.workers, self.manifest))
        return all_workers

    def manifest(self) -> Manifest | None:
        """Of the version that this worker serves."""
        try:
            return self._live.ranker.bundle.manifest
        except NotReady:
            return None

    def _served(self) -> Worker:
        manifest, refused = self.manifest(), self._live.refused
        if manifest is None:
            return Worker(refused=refused)
        return Worker(version=manifest.version, name=manifest.name, refused=refused)

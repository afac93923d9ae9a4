"""A catalog of 1,000,000 videos: how soon a service is ready with it, and what a second worker adds in memory."""

import statistics
from dataclasses import dataclass

from benchmarks.serving.arms import WATCHNEXT
from benchmarks.serving.load import Load
from benchmarks.serving.published import Published
from benchmarks.serving.servers import Server, serving
from benchmarks.serving.workloads import by_ids
from model.contract.bundle import HALVES, VIDEOS
from model.contract.durable import files_below
from model.contract.versions import live_version, version_folder

NUM_VIDEOS, NUM_STARTS = 1_000_000, 3
CORES = {0, 1}


@dataclass(frozen=True, slots=True)
class Start:
    ready_s_1m_videos: float
    second_worker_memory_share: float


def measure_start(published: Published) -> Start:
    """Starts from files that were read before, the median; memory after requests that reach all of the catalog. What a
    further worker adds has the process in it that watches over workers, which one alone does not need.
    """
    with serving(WATCHNEXT, published, 2, CORES) as server:
        two = _memory_in_use(server)
    seconds = []
    for _ in range(NUM_STARTS):
        with serving(WATCHNEXT, published, 1, CORES) as server:
            seconds.append(server.ready_s)
            one = _memory_in_use(server)
    version = version_folder(published.registry, live_version(published.registry))
    catalog = [path for part in (VIDEOS, HALVES) for path in files_below(version / part)]
    catalog_mib = sum(path.stat().st_size for path in catalog) / 2**20
    return Start(statistics.median(seconds), (two - one) / catalog_mib)


def _memory_in_use(server: Server) -> float:
    workload = by_ids(5_000)
    Load(server.url, workload, workload.bodies(NUM_VIDEOS), connections=8, seconds=3).run()
    return server.memory_mib()

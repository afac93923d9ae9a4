"""Memory of a server: of all its processes together."""

from pathlib import Path


def memory_mb(root: int) -> float:
    """Of the process and its children: the proportional set size, in which what is shared counts once."""
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    return sum(_pss_kb(process) for process in (str(root), *children)) / 1024


def _pss_kb(process: str) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

"""The memory that there is, and whether it will do: a prover that finds none is ended by the system without a word."""

from __future__ import annotations

from pathlib import Path


def require(megabytes: int, what: str) -> None:
    """Raises :class:`MemoryError` if ``what`` is expected to need more megabytes than there are."""
    have = available()
    if have is not None and megabytes > have:
        raise MemoryError(
            f"{what} is expected to need {megabytes} MB, and {have} MB are available\n"
            "  way out: compile with optimize=\"prover\", which needs less than \"gas\", or use a larger machine"
        )


def available() -> int | None:
    """Megabytes that this process may still take, as far as the system says."""
    found = [limit for limit in (_free(), _group(), _address_space()) if limit is not None]
    return min(found, default=None)


def _free() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if kilobytes is None else int(kilobytes) // 1024


def _group() -> int | None:
    """The control group's limit, less what is used."""
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text().strip()
    except OSError:
        return None
    return None if limit == "max" else max(int(limit) - int(used), 0) >> 20


def _address_space() -> int | None:
    """What ``ulimit -v`` leaves."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return None
    return None if limit == resource.RLIM_INFINITY else max(limit - used, 0) >> 20

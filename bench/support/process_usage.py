"""CPU time and memory of processes, from /proc (Linux)."""

import os
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has used, without its children."""
    user, system, _, _ = _times(pid)
    return (user + system) / _TICKS


def tree_cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process, its children and its ended children."""
    used = sum(_times(pid)) / _TICKS
    for child in _children(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # It has just ended.
            used += cpu_seconds(child)
    return used


def resident_mebibytes(pid: int) -> float:
    """Return a process's current resident memory in MiB."""
    return _status(pid, "VmRSS")


def peak_mebibytes(pid: int) -> float:
    """Return a process's peak resident memory in MiB."""
    return _status(pid, "VmHWM")


def tree_mebibytes(pid: int) -> float:
    """Return the memory of a process and its children in MiB, without shared memory."""
    return sum(map(_private_kibibytes, (pid, *_children(pid)))) / 1024


def _times(pid: int) -> tuple[int, ...]:
    """Return user and system ticks: its own, and those of ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return tuple(map(int, fields[11:15]))


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has no {name} in /proc")


def _private_kibibytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # It has just ended.
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:"))

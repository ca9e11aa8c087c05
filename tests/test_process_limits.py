import subprocess

import pytest

from tests.process_limits import first_line, terminated_at_end


def started(command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, text=True)


def test_a_process_that_prints_nothing_has_no_first_line_at_the_time_limit() -> None:
    process = started("exec sleep 600")
    with terminated_at_end(process):
        assert first_line(process, 0.01) == ""


def test_a_process_that_ends_without_output_has_no_first_line() -> None:
    process = started("exit 1")
    with terminated_at_end(process):
        assert first_line(process, 60) == ""


def test_a_process_that_does_not_end_in_time_is_killed_and_reported() -> None:
    process = started("trap '' TERM; echo ready; exec sleep 600")
    with (
        pytest.raises(subprocess.TimeoutExpired),
        terminated_at_end(process, within=0.01),
    ):
        assert first_line(process, 60) == "ready\n"
    assert process.returncode == -9

"""Result of the last verification of the log, which `audit verify` continues."""

from dataclasses import dataclass
from datetime import datetime

from storage.database import Conn


@dataclass(frozen=True, slots=True)
class VerificationState:
    """The log was verified without a problem up to the position `up_to`.

    `head` is the link of the hash chain there. `problem_position` and `problem` are the
    first problem of the last verification, None if there was none.
    """

    up_to: int
    head: bytes
    verified_at: datetime
    problem_position: int | None
    problem: str | None


_READ = """
select up_to, head, verified_at, problem_position, problem from verified_mark
"""

_WRITE = """
insert into verified_mark (id, up_to, head, verified_at, problem_position, problem)
values (1, %s, %s, %s, %s, %s)
on conflict (id) do update set
    up_to = excluded.up_to, head = excluded.head, verified_at = excluded.verified_at,
    problem_position = excluded.problem_position, problem = excluded.problem
"""


def read_verification(conn: Conn) -> VerificationState | None:
    """Return the result of the last verification; None if there was none."""
    row = conn.execute(_READ).fetchone()
    return None if row is None else VerificationState(*row)


def write_verification(conn: Conn, state: VerificationState) -> None:
    """Replace the stored result."""
    problem = (state.problem_position, state.problem)
    conn.execute(_WRITE, (state.up_to, state.head, state.verified_at, *problem))

"""How far the history was verified, and what was found."""

from dataclasses import dataclass
from datetime import datetime

from storage.database import Conn


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to `up_to` everything fitted; `head` is the chain's link there.

    The problem is the first one of the last run; without one both are None.
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


def read_mark(conn: Conn) -> Mark | None:
    """Return what the last verification left; None where there was none."""
    row = conn.execute(_READ).fetchone()
    return None if row is None else Mark(*row)


def write_mark(conn: Conn, mark: Mark) -> None:
    said = (mark.problem_position, mark.problem)
    conn.execute(_WRITE, (mark.up_to, mark.head, mark.verified_at, *said))

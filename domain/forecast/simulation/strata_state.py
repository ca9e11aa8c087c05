"""The time steps of a simulation by stratum, and the contacts in each state."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.forecast.learning.prior import Floats


@dataclass(slots=True)
class Steps:
    """Begin and length of each step in seconds; strata that are open [steps, G]."""

    starts: Floats
    lengths: Floats
    is_open: Floats


@dataclass(slots=True)
class State:
    """Contacts by draw: fresh [D, G], due [D, G, A], planned for a step [D, G, A].

    `later` [D] counts all those that are planned.
    """

    fresh: Floats
    due: Floats
    later: Floats
    planned: dict[int, Floats] = field(default_factory=dict)

    def plan(self, step: int, group: int, level: int, contacts: Floats) -> None:
        """Plan a call number `level` + 1 to contacts [D] of a stratum."""
        if step not in self.planned:
            self.planned[step] = np.zeros_like(self.due)
        self.planned[step][:, group, level] += contacts
        self.later += contacts

    def release(self, step: int) -> None:
        """Make the calls due that are planned for this step."""
        planned = self.planned.pop(step, None)
        if planned is not None:
            self.due += planned
            self.later -= planned.sum((1, 2))

    @property
    def is_idle(self) -> bool:
        """Whether nobody can be called before a step for which calls are planned."""
        return not (self.fresh.any() or self.due.any())

    @property
    def waiting(self) -> Floats:
        """Number of contacts that are not finished [D]."""
        return np.asarray(self.fresh.sum(1) + self.due.sum((1, 2)) + self.later)


def union_of(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join spans that touch or overlap."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def within(times: Floats, spans: Sequence[tuple[float, float]]) -> Floats:
    """Return 1 for each time that is in one of the spans, else 0."""
    edges = np.array(spans, float).reshape(-1)
    return np.asarray(np.searchsorted(edges, times, side="right") % 2, float)

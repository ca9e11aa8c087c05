"""Sorts many phone numbers into kinds about which the gate decides alike.

A kind is all that is known of a number apart from its places: whether it is suppressed,
what each list says of it, and its earlier calls if a frequency cap could restrict it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from application.suppression_lists.list_blocks import ListBlocks, Mask
from domain.gate.decision import ListFinding, Numbers
from domain.gate.dialability import UNRESTRICTED
from domain.gate.rules import CallPurpose
from domain.numbers.suppression_lists import Freshness, ListVersion, findings

type Digits = NDArray[np.int64]
"""The digits of E.164 numbers as whole numbers; 0 for a number that is not known."""

ID_BYTES = 16
_ID = np.dtype((np.void, ID_BYTES))
_COVERED, _CONTAINED, _UNREADABLE, _STATES = 1, 2, 4, 8
_LONGEST = 15


class NumberKinds:
    """The kinds of the numbers of several parts, which are joined in their order.

    `codes` has the kind of each number, `numbers` returns what is known of a kind.
    """

    def __init__(self, parts: Sequence[Digits]) -> None:
        self._digits = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        self.codes = np.zeros(len(self._digits), np.int64)
        self._numbers = [UNRESTRICTED]

    def numbers(self, kind: int) -> Numbers:
        """Return what is known of each number of a kind."""
        return self._numbers[kind]

    def add_register(
        self,
        suppressed: bytes,
        called: Mapping[UUID, tuple[datetime, ...]],
        number_ids: Callable[[Iterable[str]], bytes],
    ) -> None:
        """Add the suppressed numbers, and the earlier calls of others.

        `suppressed` are ids of numbers, 16 bytes each; `called` maps ids to the times
        of calls. `number_ids` returns the ids of E.164 numbers.
        """
        if not suppressed and not called:
            return
        known = np.flatnonzero(self._digits)
        phones = (f"+{number}" for number in self._digits[known].tolist())
        ids = np.frombuffer(number_ids(phones), _ID)
        is_suppressed = np.zeros(len(self._digits), np.bool_)
        is_suppressed[known] = _isin(ids, np.frombuffer(suppressed, _ID))
        self._split(is_suppressed.astype(np.int64), self._suppressed)
        calls = np.frombuffer(b"".join(id_.bytes for id_ in called), _ID)
        for at in np.flatnonzero(_isin(ids, calls)).tolist():
            self._add_calls(int(known[at]), called[UUID(bytes=ids[at].tobytes())])

    def add_lists(
        self,
        versions: Collection[ListVersion],
        blocks: ListBlocks,
        purpose: CallPurpose,
        today: date,
    ) -> None:
        """Add what the lists for a purpose say.

        A list forbids to call a number that it contains, and any number that it covers
        if the list cannot be read or is stale.
        """
        asked = [one for one in versions if one.is_about(purpose)]
        known = self._digits != 0
        states = np.zeros(len(self._digits), np.int64)
        seen: dict[int, tuple[int, ...]] = {0: ()}
        for version in asked:
            own = _states(version, blocks, self._digits, today)
            own[~known] = 0
            states, seen = _joined(states, own, seen)

        def with_findings(number: Numbers, state: int, example: str) -> Numbers:
            found = _findings(asked, seen[state], example, purpose, today)
            return Numbers(number.attempts, number.is_suppressed, found)

        self._split(states, with_findings)

    def _suppressed(self, number: Numbers, state: int, _example: str) -> Numbers:
        return Numbers(number.attempts, bool(state), number.lists)

    def _split(
        self, states: NDArray[np.int64], add: Callable[[Numbers, int, str], Numbers]
    ) -> None:
        """Split each kind by a state of its numbers; state 0 changes nothing.

        `add` returns what is known of a kind with a state, of which it gets an example.
        """
        for at, (kind, state) in _first_of_each(self.codes, states):
            if not state:
                continue
            example = f"+{self._digits[at]}"
            same = (self.codes == kind) & (states == state)
            self.codes[same] = len(self._numbers)
            self._numbers.append(add(self._numbers[kind], state, example))

    def _add_calls(self, at: int, attempts: tuple[datetime, ...]) -> None:
        number = self._numbers[self.codes[at]]
        self.codes[at] = len(self._numbers)
        self._numbers.append(Numbers(attempts, number.is_suppressed, number.lists))


def _isin(ids: NDArray[np.void], wanted: NDArray[np.void]) -> Mask:
    """Return which ids are among others; both are 16 bytes each."""
    found = np.zeros(len(ids), np.bool_)
    if not len(wanted):
        return found
    # Random ids are compared by half of their bytes first, which is much faster.
    halves = ids.view(np.uint64)[::2]
    candidates = np.flatnonzero(np.isin(halves, wanted.view(np.uint64)[::2]))
    if len(candidates):
        exact = set(wanted.tolist())
        found[candidates] = [one in exact for one in ids[candidates].tolist()]
    return found


def _first_of_each(
    kinds: NDArray[np.int64], states: NDArray[np.int64]
) -> list[tuple[int, tuple[int, int]]]:
    """Return for each pair of a kind and a state the index of its first number."""
    if not states.any():
        return []
    pairs = kinds * (int(states.max()) + 1) + states
    _, first = np.unique(pairs, return_index=True)
    return [(at, (int(kinds[at]), int(states[at]))) for at in first.tolist()]


def _states(
    version: ListVersion, blocks: ListBlocks, digits: Digits, today: date
) -> NDArray[np.int64]:
    """Return what a version says of each number, 0 if it does not restrict it."""
    covered = _covered(version, digits)
    at = np.flatnonzero(covered)
    states = np.zeros(len(digits), np.int64)
    contained, unreadable = blocks.look_up_digits(version.version_id, digits[at])
    states[at] = contained * _CONTAINED + unreadable * _UNREADABLE
    restricts = states != 0
    if version.freshness(today) is Freshness.STALE:
        restricts = covered
    states[restricts] |= _COVERED
    return states


def _covered(version: ListVersion, digits: Digits) -> Mask:
    """Return which numbers the version covers, as `ListVersion.covers_number` does."""
    if not version.covers:
        return np.ones(len(digits), np.bool_)
    covered = np.zeros(len(digits), np.bool_)
    for length in range(1, _LONGEST + 1):
        own = (digits >= 10 ** (length - 1)) & (digits < 10**length)
        if not own.any():
            continue
        for prefix in version.covers:
            wanted = prefix.removeprefix("+")
            if len(wanted) <= length:
                leading = digits // 10 ** (length - len(wanted))
                covered |= own & (leading == int(wanted))
    return covered


def _joined(
    states: NDArray[np.int64], own: NDArray[np.int64], seen: dict[int, tuple[int, ...]]
) -> tuple[NDArray[np.int64], dict[int, tuple[int, ...]]]:
    """Number the combinations of the states of all lists so far; 0 stays 0."""
    if not own.any():
        return states, {code: (*before, 0) for code, before in seen.items()}
    both = states * _STATES + own
    values, codes = np.unique(both, return_inverse=True)
    first = int(values[0] != 0)  # Without a 0 the numbers begin at 1.
    joined = {0: (0,) * (len(seen[0]) + 1)}
    for code, value in enumerate(values.tolist(), first):
        before, state = divmod(value, _STATES)
        joined[code] = (*seen[before], state)
    return codes.astype(np.int64) + first, joined


def _findings(
    versions: Sequence[ListVersion],
    states: tuple[int, ...],
    number: str,
    purpose: CallPurpose,
    today: date,
) -> tuple[ListFinding, ...] | None:
    contained = {
        one.version_id: bool(state & _CONTAINED)
        for one, state in zip(versions, states, strict=True)
        if not state & _UNREADABLE
    }
    return findings(versions, number, purpose, contained, today)

"""Frames that many subscriptions share: resolved once and encoded once.

Each subscription is authorized on its own when it starts. Only events that look the
same to every member are shared.
"""

from asyncio import Future, ensure_future, shield
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, Executor
from graphql.pyutils import RefMap
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

type Encode = Callable[[object], str | bytes]


class Shared(dict[str, Any]):
    """Data of a frame; `text` is its JSON once it was encoded for the first time."""

    text: str | None = None


type Result = ExecutionResult | Future[Any]


class Frames:
    """Cache of the results of one event, by operation, variables and role.

    It lives as long as its event. Operations with the same text are the same object.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, object], tuple[object, Result]] = {}

    def get(self, operation: object, variables: str, role: object) -> Result | None:
        """Return the result of this operation for such a member, if there is one."""
        found = self._known.get((id(operation), variables, role))
        return found[1] if found else None

    def keep(
        self, operation: object, variables: str, role: object, result: Result
    ) -> None:
        """Cache a result, or a future of one that is being resolved."""
        # Holding the operation keeps its id() from being reused.
        self._known[id(operation), variables, role] = operation, result


class SharingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Resolves an event that has `frames` once per operation and variables."""

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Copy the executor for one event of a subscription, with caches of its own.

        graphql-core 3.3.2 shares its caches of collected fields between all events of
        a subscription, but looks entries up by the identity of a list that is new for
        each event. So no entry is found again, and the caches would grow by one entry
        for each event until the subscription ends.
        """
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001 - no public way to clear it
        executor._stream_usages = RefMap()  # noqa: SLF001 - the same
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: FBT001 - the library's signature
        """Return the cached result of the event, or execute and cache it."""
        frames = getattr(self.root_value, "frames", None)
        if not isinstance(frames, Frames):
            return super().execute_operation(serially)
        # Some fields show each role something else; none depends on the member.
        role = self.context_value.viewer.role
        key = self.operation, repr(self.variable_values), role
        known = frames.get(*key)
        if known is None:
            result: Any = super().execute_operation(serially)
            known = ensure_future(result) if isawaitable(result) else _shared(result)
            frames.keep(*key, known)
        return _resolved(known) if isinstance(known, Future) else _copied(known)


async def _resolved(future: Future[Any]) -> ExecutionResult:
    """Wait for a result that is being resolved.

    The future goes on if this subscription ends: others may wait for it.
    """
    return _copied(_shared(await shield(future)))


def _shared(result: ExecutionResult) -> ExecutionResult:
    """Wrap the data of a result, so that it is encoded only once."""
    if result.data and not result.errors and not isinstance(result.data, Shared):
        result.data = Shared(result.data)
    return result


def _copied(result: ExecutionResult) -> ExecutionResult:
    """Return a copy for one subscription, whose extensions may change it."""
    errors = None if result.errors is None else [*result.errors]
    return ExecutionResult(result.data, errors)


def encoded(message: object, encode: Encode) -> str | bytes:
    """Encode a socket message; the data of a shared frame is encoded only once."""
    match message:
        case {"type": "next", "id": id_, "payload": {"data": Shared() as data} as own}:
            if len(own) == 1:
                return _framed(encode(id_), data, encode)
    return encode(message)


def _framed(id_: str | bytes, data: Shared, encode: Encode) -> str:
    if data.text is None:
        data.text = _plain(encode(data))
    return f'{{"id":{_plain(id_)},"type":"next","payload":{{"data":{data.text}}}}}'


def _plain(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode()

"""Merges reads of many tasks: those that arrive during a statement share the next."""

from asyncio import CancelledError, Future, Task, create_task, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping


class MergedReads[K: Hashable, V]:
    """Reads values by key, with at most one statement in flight.

    While nothing else is read, a request is answered at once. Under load the requests
    that wait share a statement, so that their number does not grow with the load.

    `read` returns the values of up to `most` keys, or of those of one request. Keys
    without a value may be missing. An error is raised in all tasks of the statement.
    """

    def __init__(
        self, read: Callable[[list[K]], Awaitable[Mapping[K, V]]], most: int
    ) -> None:
        self._read, self._most = read, most
        self._requests = deque[tuple[Collection[K], Future[Mapping[K, V]]]]()
        self._task: Task[None] | None = None

    async def of(self, keys: Collection[K]) -> dict[K, V]:
        """Return the values of these keys, read after this call began."""
        if not keys:
            return {}
        answer: Future[Mapping[K, V]] = get_running_loop().create_future()
        self._requests.append((keys, answer))
        if self._task is None:
            self._task = create_task(self._run())
        found = await answer
        return {key: found[key] for key in keys if key in found}

    async def _run(self) -> None:
        try:
            while self._requests:
                await self._answer(*self._next())
        finally:
            self._task = None
            for _, answer in self._requests:  # Only after the task was canceled.
                answer.cancel()

    def _next(self) -> tuple[list[K], list[Future[Mapping[K, V]]]]:
        """Take the oldest requests, up to `most` keys but at least one request."""
        keys: dict[K, None] = {}
        answers: list[Future[Mapping[K, V]]] = []
        while self._requests:
            more, answer = self._requests[0]
            if answers and len(keys) + len(more) > self._most:
                break
            self._requests.popleft()
            if not answer.done():  # Else its task was canceled.
                keys |= dict.fromkeys(more)
                answers.append(answer)
        return list(keys), answers

    async def _answer(
        self, keys: list[K], answers: list[Future[Mapping[K, V]]]
    ) -> None:
        if not answers:
            return
        try:
            found = await self._read(keys)
        except CancelledError:
            for answer in answers:
                answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - raised in each waiting task
            for answer in answers:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for answer in answers:
                if not answer.done():
                    answer.set_result(found)

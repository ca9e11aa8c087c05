"""Streamed responses that release what they hold, however they end.

Starlette iterates a generator in worker threads, but does not close it when the client
leaves. The generator then keeps its database connection until the garbage collector
finds it, which may be never.
"""

from collections.abc import AsyncIterator, Generator
from threading import Lock

from anyio import CancelScope, to_thread
from starlette.responses import StreamingResponse  # noqa: TID251 - the one that is used
from starlette.types import Receive, Scope, Send

from storage.database import within

CLOSING_SECONDS = 5.0
"""Time for the database to confirm a cancelled query; then the connection is closed."""

type Piece = bytes | str


class Streamed(StreamingResponse):
    """Sends what a generator yields and closes the generator in every case.

    That is: at its end, when the client disconnects, when the server aborts the
    connection of a client that does not read (interfaces/http/connections.py), and at
    shutdown. The first piece is made before the response starts, so an error in it is
    answered as any other error.
    """

    def __init__(
        self, pieces: Generator[Piece], *, media_type: str, filename: str
    ) -> None:
        """`filename` is the value of Content-Disposition after "attachment; "."""
        self._pieces = _Pieces(pieces)
        super().__init__(
            self._all_pieces(),
            media_type=media_type,
            headers={"Content-Disposition": f"attachment; {filename}"},
        )
        self._first: Piece | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._first = await to_thread.run_sync(self._pieces.next)
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(self._pieces.close)

    async def _all_pieces(self) -> AsyncIterator[Piece]:
        piece = self._first
        while piece is not None:
            yield piece
            piece = await to_thread.run_sync(self._pieces.next)


class _Pieces:
    """A generator that one thread may close while another one still runs it.

    A cancelled task does not wait for its worker thread, so `close` has to.
    """

    def __init__(self, pieces: Generator[Piece]) -> None:
        self._pieces, self._lock = pieces, Lock()

    def next(self) -> Piece | None:
        with self._lock:
            return next(self._pieces, None)

    def close(self) -> None:
        with self._lock, within(CLOSING_SECONDS):
            self._pieces.close()

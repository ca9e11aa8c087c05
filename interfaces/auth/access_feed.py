"""Wakes open sockets when the database reports that their member's access changed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from storage.access.sessions import ACCESS_CHANGED
from storage.database import Listener

QUIET_SECONDS = 3_600.0


class AccessFeed:
    """Listens for `ACCESS_CHANGED` in a thread; wakes sockets in the event loop."""

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listener = Listener(
            url, ACCESS_CHANGED, name="access feed", every=QUIET_SECONDS
        )
        self._thread = Thread(target=self._run, name="access feed", daemon=True)

    def start(self) -> None:
        """Start to listen; call it once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and wait for the thread to end."""
        self._listener.stop()
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()

    @contextmanager
    def changes(self, email: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set when this member's access may have changed."""
        changed = asyncio.Event()
        waiting = self._waiting.setdefault(email, set())
        waiting.add(changed)
        try:
            yield changed
        finally:
            waiting.discard(changed)
            if not waiting:
                self._waiting.pop(email, None)

    def _run(self) -> None:
        for heard in self._listener:
            emails = {notify.payload for notify in heard}
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._wake, emails)

    def _wake(self, emails: set[str]) -> None:
        """Wake these members' sockets, or everybody's after a lost connection."""
        for email in emails or self._waiting.keys():
            for changed in self._waiting.get(email, ()):
                changed.set()

"""A Chromium whose calls cannot wait for ever."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer

from playwright.sync_api import Browser, BrowserType, expect, sync_playwright

SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PATIENCE = 60_000
"""Longest wait of an expectation or a navigation in milliseconds.

The machine may be busy with other tests; a shorter limit makes no test faster.
"""
LONGEST_TEST = 300.0
"""Seconds after which a test that still waits for Chromium fails.

Less than the time limit of pytest, which does not apply to the teardown of a test that
has exceeded it.
"""

expect.set_options(timeout=PATIENCE)


PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first one has no user interface of its own, and needs less than half the CPU."""


def chromium() -> str | None:
    """Return the path of an installed Chromium."""
    named = os.environ.get("AUTOLYNX_TEST_CHROMIUM")
    found = map(shutil.which, PROGRAMS)
    return named or next(filter(None, found), None)


@contextmanager
def running_chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium)
        pid = process_id(browser)
        try:
            yield browser
        finally:
            with time_limit(pid, 60.0):
                browser.close()


def launched(kind: BrowserType) -> Browser:
    return kind.launch(executable_path=chromium(), args=[*SWITCHES])


def process_id(browser: Browser) -> int:
    """Return the id of Chromium's main process."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    (pid,) = [int(one["id"]) for one in processes if one["type"] == "browser"]
    return pid


@contextmanager
def time_limit(pid: int, seconds: float) -> Iterator[None]:
    """Kill a Chromium, named by its process id, if the context takes too long.

    Playwright has no time limit for `evaluate`, nor for closing a page, a context or
    the browser. Once Chromium is dead, each of these ends.
    """
    timer = Timer(seconds, _kill, [pid])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

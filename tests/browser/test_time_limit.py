"""A wait without an end fails: no test of the browser can hang."""

import pytest
from playwright.sync_api import Error

from tests.browser.chromium import launched, process_id, time_limit
from tests.browser.installation import Installation


def test_a_promise_that_is_never_resolved_fails_at_the_time_limit(
    installation: Installation,
) -> None:
    browser = launched(installation.browser.browser_type)
    page = browser.new_page()
    with time_limit(process_id(browser), 0.5), pytest.raises(Error, match="closed"):
        page.evaluate("new Promise(() => {})")
    browser.close()
    assert installation.browser.is_connected()

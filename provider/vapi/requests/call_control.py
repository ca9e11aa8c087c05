"""Ending a live call: https://docs.vapi.ai/calls/call-features."""

from typing import Any
from urllib.parse import urlsplit

from application.ports import ProviderRefused, ProviderUnavailable

END_CALL = b'{"type":"end-call"}'
"""The body that is posted to a control URL to end its call."""


def control_url(document: dict[str, Any], base: str) -> str:
    """Return the URL that ends the call, if it is on a host of the provider.

    `base` is the URL of the provider's API. Raises ProviderUnavailable without a URL,
    ProviderRefused for a URL on another host.
    """
    monitor = document.get("monitor")
    url = monitor.get("controlUrl") if isinstance(monitor, dict) else None
    if not isinstance(url, str):
        raise ProviderUnavailable("the call has no control URL")
    own, other = urlsplit(base), urlsplit(url)
    theirs = other.scheme == "https" and (other.hostname or "").endswith(".vapi.ai")
    if not theirs and (own.scheme, own.hostname) != (other.scheme, other.hostname):
        raise ProviderRefused("the call's control URL is on a foreign host")
    return url

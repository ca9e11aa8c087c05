"""Which recording URLs are stored, shown and opened.

The URL is taken from a message of the provider, and members open it in their browser.
Whoever can send webhooks can therefore choose it, so it must be an https URL of a host
on the public internet, not a script, a file, or a machine in the member's network.
"""

import re

LONGEST = 4_000
"""Characters; a signed S3 link with a session token has about 2,500."""

LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
TOP_LEVEL = "[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""A top-level domain begins with a letter, which excludes IP addresses in any form."""

NOT_PUBLIC = (
    *("corp", "home", "internal", "intranet", "lan", "local", "localdomain"),
    *("localhost", "private", r"home\.arpa"),
)
"""Domains of private networks: RFC 6761, RFC 6762 appendix G, RFC 8375, ICANN."""

ALLOWED = r"!#-;=?-\[\]_a-z~|%"
"""Printable ASCII without spaces, quotes, `<`, `>` or backslash, as a regex class."""

AFTER_HOST = rf"([/?#][{ALLOWED}]*)?\Z"
"""The rest of a URL."""


class RecordingUrls:
    """Accepts https URLs of public host names, and URLs at `provider_url`.

    `provider_url` is the configured address of the provider's API. It is not on the
    public internet only if a simulator replaces the provider.
    Refused are URLs with user information, IP addresses of any form, names of a single
    label, and names with non-ASCII characters, which URLs write in Punycode.
    """

    def __init__(self, provider_url: str | None = None) -> None:
        self._compiled = re.compile(_pattern(provider_url))

    def accepts(self, url: str) -> bool:
        """Return whether the URL may be stored, shown and opened."""
        return len(url) <= LONGEST and self._compiled.match(url) is not None


def _pattern(provider_url: str | None) -> str:
    """Return the rule as a regular expression."""
    private = "|".join(_any_case(domain) for domain in NOT_PUBLIC)
    not_private = rf"(?!([A-Za-z0-9-]+\.)*({private})([:/?#]|\Z))"
    origin = rf"https://{not_private}({LABEL}\.)+{TOP_LEVEL}(:[0-9]{{1,5}})?"
    if provider_url is not None:
        own = _origin(provider_url)
        origin = f"({origin}|{re.escape(own)})" if own else origin
    return f"^{origin}{AFTER_HOST}"


def _any_case(domain: str) -> str:
    """Match a domain in capitals too; Postgres has no inline flag within a pattern."""
    return re.sub(r"[a-z]", lambda m: f"[{m.group()}{m.group().upper()}]", domain)


def _origin(url: str) -> str | None:
    """Return scheme, host and port of an http URL without user information."""
    found = re.match(r"https?://[^/?#@\s\\]+", url)
    return found.group() if found else None

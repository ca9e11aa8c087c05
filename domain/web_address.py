"""Which web addresses the service may send requests to.

The metadata service of a cloud listens on a link-local address and returns the
machine's own credentials. Therefore a URL that a person may set must not lead there.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

LONGEST = 2_000
"""Characters of a URL."""

WEB_URL_RULE = "must begin with https:// or http://"

METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data"})
"""Names of the metadata services of Google Cloud, and of Amazon EC2."""

METADATA_ADDRESSES = frozenset({"100.100.100.200", "192.0.0.192", "fd00:ec2::254"})
"""Metadata services outside the link-local ranges: Alibaba, Oracle, EC2 (IPv6)."""

NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
LAST_32_BITS = tuple(
    IPv6Network(network)
    for network in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
"""Networks whose addresses end with an IPv4 address."""

SHORT_IPV4 = re.compile(r"((0[xX][0-9a-fA-F]+|[0-9]{1,12})(\.(?!$)|$)){1,4}")

ISATAP = frozenset({b"\0\0\x5e\xfe", b"\2\0\x5e\xfe"})
"""The four octets before the IPv4 address in an ISATAP interface identifier."""


def is_web_url(url: str) -> bool:
    """Return whether a text begins as a URL of the web does; see `WEB_URL_RULE`."""
    return url.startswith(("https://", "http://"))


def url_fault(url: str) -> str | None:
    """Return what is wrong with a URL for outgoing requests, None if it is allowed."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if not is_web_url(url) or not host:
        return f"{WEB_URL_RULE} and name a host"
    if len(url) > LONGEST or not url.isprintable() or " " in url:
        return f"must have at most {LONGEST:,} characters, all printable, and no space"
    if host.rstrip(".").lower() in METADATA_HOSTS or is_forbidden(host):
        return "must not lead to a link-local or metadata address"
    return None


def is_forbidden(address: str) -> bool:
    """Return whether an IP address is, or leads to, a link-local or metadata address.

    An IPv6 address leads there if it contains such an IPv4 address, to which a gateway
    or tunnel forwards: IPv4-mapped, -compatible and -translated (RFC 4291, RFC 2765),
    NAT64's well-known and local-use prefixes (RFC 6052, RFC 8215), 6to4 (RFC 3056),
    Teredo (RFC 4380) and ISATAP (RFC 5214). A NAT64 gateway with a prefix of its own
    cannot be recognised. False for host names.
    """
    ip = _parsed(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        return _is_internal(ip) or any(map(_is_internal, _embedded(ip)))
    return ip is not None and _is_internal(ip)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address, also in the forms that C's inet_aton takes (0xa9fea9fe)."""
    with suppress(ValueError):
        return ip_address(text)
    with suppress(ValueError, OverflowError):
        return _short_ipv4(text)
    return None


def _short_ipv4(text: str) -> IPv4Address:
    """Parse one to four numbers, of which the last fills the remaining octets.

    A number may be octal (leading 0) or hexadecimal (leading 0x), as POSIX defines for
    inet_addr. Raises ValueError or OverflowError.
    """
    if not SHORT_IPV4.fullmatch(text):
        raise ValueError(text)
    *first, last = (_of_any_base(part) for part in text.split("."))
    octets = bytes(first) + last.to_bytes(4 - len(first), "big")
    return IPv4Address(octets)


def _of_any_base(digits: str) -> int:
    if digits[:2] in {"0x", "0X"}:
        return int(digits, 16)
    return int(digits, 8 if digits.startswith("0") else 10)


def _is_internal(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_link_local or str(ip) in METADATA_ADDRESSES


def _embedded(ip: IPv6Address) -> Iterator[IPv4Address]:
    """Yield each IPv4 address that the IPv6 address may contain."""
    octets = ip.packed
    if ip in NAT64_LOCAL:
        # The gateway chooses one of these prefix lengths: RFC 6052, section 2.2.
        yield IPv4Address(octets[6:8] + octets[9:11])
        yield IPv4Address(octets[7:8] + octets[9:12])
        yield IPv4Address(octets[9:13])
        yield IPv4Address(octets[12:])
    if any(ip in network for network in LAST_32_BITS) or octets[8:12] in ISATAP:
        yield IPv4Address(octets[12:])
    if ip.sixtofour is not None:
        yield ip.sixtofour
    if ip.teredo is not None:
        yield from ip.teredo

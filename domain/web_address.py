"""Which web addresses the service may send requests to.

A cloud's metadata service answers on a link-local address and hands out the machine's
own credentials, so nobody who can set a URL may direct a request there.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

LONGEST = 2_000
METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data"})
METADATA_ADDRESSES = frozenset({"100.100.100.200", "192.0.0.192", "fd00:ec2::254"})

NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
LAST_32_BITS = tuple(
    IPv6Network(network)
    for network in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
"""Networks whose addresses end with an IPv4 address."""

SHORT_IPV4 = re.compile(r"((0[xX][0-9a-fA-F]+|[0-9]{1,12})(\.(?!$)|$)){1,4}")

ISATAP = frozenset({b"\0\0\x5e\xfe", b"\2\0\x5e\xfe"})
"""What stands before the IPv4 address in an ISATAP interface identifier."""


def url_fault(url: str) -> str | None:
    """Say what is wrong with a URL to post to, None where it may be."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in {"http", "https"} or not host:
        return "must begin with https:// or http:// and name a host"
    if len(url) > LONGEST or not url.isprintable() or " " in url:
        return f"must have at most {LONGEST:,} characters, and none that is not shown"
    if host.rstrip(".").lower() in METADATA_HOSTS or is_forbidden(host):
        return "must not lead to a link-local or metadata address"
    return None


def is_forbidden(address: str) -> bool:
    """Say whether an IP address is, or leads to, a link-local or metadata address.

    Also where an IPv6 address carries such an IPv4 address that a gateway or tunnel
    forwards to: IPv4-mapped, -compatible and -translated (RFC 4291, RFC 2765), NAT64's
    well-known and local-use prefixes (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo
    (RFC 4380) and ISATAP (RFC 5214). A NAT64 gateway with a prefix of its own cannot be
    recognised. A host name is not an address: False.
    """
    ip = _parsed(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        return _is_inside(ip) or any(map(_is_inside, _embedded(ip)))
    return ip is not None and _is_inside(ip)


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


def _is_inside(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_link_local or str(ip) in METADATA_ADDRESSES


def _embedded(ip: IPv6Address) -> Iterator[IPv4Address]:
    """Yield every IPv4 address that this one may carry."""
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

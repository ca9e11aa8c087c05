"""Where the service may post to by itself: not to what only its own machine reaches.

A cloud's metadata service answers on a link-local address with the machine's own
credentials; whoever may set a URL must not be able to have it asked.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

LONGEST = 2_000
METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data"})
METADATA_ADDRESSES = frozenset({"100.100.100.200", "192.0.0.192", "fd00:ec2::254"})


def trouble_with(url: str) -> str | None:
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
    """Say whether an IP address is link-local or a cloud's metadata service."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_link_local or str(ip) in METADATA_ADDRESSES

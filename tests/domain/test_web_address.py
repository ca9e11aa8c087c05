"""URLs and IP addresses to which the service sends no requests."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.web_address import is_forbidden, url_fault


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T/B/x",
        "http://127.0.0.1:9000/alerts",
        "http://10.0.0.5/x?y=1",
        "https://[2001:db8::1]:8443/",
    ],
)
def test_a_url_of_an_ordinary_host_is_allowed(url: str) -> None:
    assert url_fault(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "//example.com",
        "javascript:alert(1)",
        "http://[::1",
        "http://example.com:99999/",
        "http://exa mple.com/",
        "http://example.com/\n",
        "https://example.com/" + "x" * 2_000,
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1%25eth0]/",
        "http://[::ffff:169.254.169.254]/",
        "http://metadata.google.internal./x",
        "http://100.100.100.200/",
    ],
)
def test_invalid_and_internal_urls_are_refused(url: str) -> None:
    assert url_fault(url) is not None


EMBEDDED = {
    "IPv4-mapped": "::ffff:a9fe:a9fe",
    "IPv4-mapped, dotted": "::ffff:169.254.169.254",
    "IPv4-compatible": "::169.254.169.254",
    "IPv4-translated": "::ffff:0:169.254.169.254",
    "NAT64": "64:ff9b::a9fe:a9fe",
    "NAT64 to another metadata service": "64:ff9b::100.100.100.200",
    "NAT64 for local use, /48": "64:ff9b:1:a9fe:00a9:fe00::",
    "NAT64 for local use, /56": "64:ff9b:1:00a9:00fe:a9fe::",
    "NAT64 for local use, /64": "64:ff9b:1:1:00a9:fea9:fe00:0",
    "NAT64 for local use, /96": "64:ff9b:1::a9fe:a9fe",
    "6to4": "2002:a9fe:a9fe::1",
    "Teredo client": "2001:0:cb00:7101:0:1:5601:5601",
    "Teredo server": "2001:0:a9fe:a9fe:0:1:1:1",
    "ISATAP": "2001:db8::5efe:169.254.169.254",
    "ISATAP, global": "2001:db8::200:5efe:169.254.169.254",
    "with a zone": "fe80::1%eth0",
    "hexadecimal": "0xa9fea9fe",
    "decimal": "2852039166",
    "octal": "0251.0376.0251.0376",
    "short": "169.254.43518",
}


@pytest.mark.parametrize("address", EMBEDDED.values(), ids=EMBEDDED)
def test_an_address_with_an_embedded_forbidden_one_is_forbidden(address: str) -> None:
    assert is_forbidden(address)
    host = f"[{address.replace('%', '%25')}]" if ":" in address else address
    assert url_fault(f"https://{host}/") is not None


HARMLESS = (
    *("::1", "::", "2002:cb00:7101::1", "64:ff9b::203.0.113.1", "64:ff9b:1::cb00:7101"),
    *("::ffff:203.0.113.1", "2001:0:cb00:7101:0:1:3456:789a", "2001:db8::a9fe:a9fe"),
    *("64:ff9b:2::a9fe:a9fe", "2001:db8::5efe:203.0.113.1", "cafe.example", "127.1"),
)


@pytest.mark.parametrize("address", HARMLESS)
def test_an_address_with_an_embedded_public_one_is_allowed(address: str) -> None:
    assert not is_forbidden(address)


@given(st.ip_addresses(v=4, network="169.254.0.0/16"), st.integers(0, 2**16 - 1))
def test_every_link_local_address_is_forbidden_in_every_notation(
    address: IPv4Address, rest: int
) -> None:
    high, low = f"{int(address) >> 16:x}", f"{int(address) & 0xFFFF:x}"
    inverted = int(address) ^ 0xFFFF_FFFF
    for text in (
        str(address),
        f"::ffff:{high}:{low}",
        f"64:ff9b::{high}:{low}",
        f"64:ff9b:1:{rest:x}::{high}:{low}",
        f"2002:{high}:{low}::{rest:x}",
        f"2001:0:{high}:{low}::{rest:x}",
        f"2001:0:cb00:7101:0:{rest:x}:{inverted >> 16:x}:{inverted & 0xFFFF:x}",
    ):
        assert is_forbidden(text), text


def test_host_names_and_private_addresses_are_not_forbidden() -> None:
    assert not is_forbidden("example.com")
    assert not is_forbidden("192.168.0.1")

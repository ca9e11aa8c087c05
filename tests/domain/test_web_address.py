"""Where alerts may be posted to."""

import pytest

from domain.web_address import is_forbidden, trouble_with


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T/B/x",
        "http://127.0.0.1:9000/alerts",
        "http://10.0.0.5/x?y=1",
        "https://[2001:db8::1]:8443/",
    ],
)
def test_a_web_address_will_do(url: str) -> None:
    assert trouble_with(url) is None


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
def test_what_is_no_web_address_or_leads_inside_will_not(url: str) -> None:
    assert trouble_with(url) is not None


def test_a_name_is_no_forbidden_address() -> None:
    assert not is_forbidden("example.com")
    assert not is_forbidden("192.168.0.1")

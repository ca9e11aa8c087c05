"""Only https URLs of public hosts count as recordings."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.recording_url import LONGEST, RecordingUrls
from tests.recording_urls import HOSTILE

GOOD = (
    "https://storage.vapi.ai/0198-mono.wav",
    "https://recordings.example:8443/a/b.wav?X-Amz-Signature=ab%2Fc&e=1#t=3",
    "https://my-bucket.s3.eu-central-1.amazonaws.com/call.wav",
    "https://xn--bcher-kva.example/",
    "https://RECORDINGS.EXAMPLE",
    "https://local.example/internal.local",
    "https://recordings.example/" + "x" * (LONGEST - 27),
)
SIMULATOR = "http://127.0.0.1:9001"


@pytest.mark.parametrize("url", GOOD)
def test_an_https_url_of_a_public_host_is_accepted(url: str) -> None:
    assert RecordingUrls().accepts(url)


@pytest.mark.parametrize("url", HOSTILE)
@pytest.mark.parametrize("provider", [None, "https://api.vapi.ai", SIMULATOR])
def test_a_hostile_url_is_refused(url: str, provider: str | None) -> None:
    assert not RecordingUrls(provider).accepts(url)


def test_an_overlong_url_is_refused() -> None:
    assert not RecordingUrls().accepts("https://recordings.example/" + "x" * LONGEST)


@given(st.ip_addresses(), st.sampled_from(["https://{}/", "https://{}:443/a", "{}"]))
def test_no_ip_address_is_accepted_in_any_notation(
    address: IPv4Address | IPv6Address, form: str
) -> None:
    texts = [f"[{address}]"] if address.version == 6 else _ipv4_notations(address)
    for text in texts:
        assert not RecordingUrls().accepts(form.format(text)), text


def _ipv4_notations(address: IPv4Address | IPv6Address) -> list[str]:
    parts = str(address).split(".")
    return [
        str(address),
        str(int(address)),
        hex(int(address)),
        ".".join(hex(int(part)) for part in parts),
        ".".join(f"0{int(part):o}" for part in parts),
        f"{address}.",
    ]


@pytest.mark.parametrize(
    "url",
    [f"{SIMULATOR}/storage/a.wav", f"{SIMULATOR}/a.wav?e=1", SIMULATOR],
)
def test_a_url_at_the_configured_provider_is_accepted(url: str) -> None:
    assert RecordingUrls(f"{SIMULATOR}/").accepts(url)
    assert not RecordingUrls().accepts(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:90011/a.wav",
        "http://127.0.0.1:9002/a.wav",
        "http://127x0.0.1:9001/a.wav",
        "http://127.0.0.1:9001@evil.example/a.wav",
        "http://127.0.0.1:9001.evil.example/a.wav",
    ],
)
def test_a_url_that_resembles_the_configured_provider_is_refused(url: str) -> None:
    assert not RecordingUrls(SIMULATOR).accepts(url)

"""The dashboard's page and assets, as they are served."""

import gzip
import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from interfaces.dashboard.documents import Document, read_documents
from interfaces.dashboard.routes import PAGES, dashboard_routes
from interfaces.dashboard.site import STATIC, Site, build_site
from provider.vapi.texts import TEXTS

VENDOR = STATIC / "vendor"
MOST_BYTES = 90_000
VIEWS = ("campaigns.js", "campaign/campaign.js", "new_campaign/new_campaign.js")
"""Views that a person opens first: by the address, or by a link of a colleague."""


@pytest.fixture(scope="module")
def site() -> Site:
    return build_site(read_documents(), TEXTS, media_sources=("https:",))


@pytest.fixture(scope="module")
def browser(site: Site) -> TestClient:
    app = FastAPI()
    app.include_router(dashboard_routes(site))
    return TestClient(app)


def imported(module: str, site: Site) -> set[str]:
    """Follow static imports, as a browser does before it runs anything."""
    found, waiting = set[str](), [module]
    names = json.loads(import_map(site))["imports"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            text = site.assets[path].body.decode()
            modules = re.findall(r'\bfrom\s*"([\w@./-]+)"', text)
            waiting += [resolved(name, path, names, site.prefix) for name in modules]
    return found


def resolved(name: str, path: str, names: dict[str, str], prefix: str) -> str:
    if name in names:
        return names[name].removeprefix(prefix)
    whole = (Path("/") / path).parent / name
    return whole.resolve().as_posix().removeprefix("/")


def import_map(site: Site) -> str:
    page = site.page.body.decode()
    found = re.search(r'<script type="importmap">(.*?)</script>', page)
    assert found
    return found[1]


@pytest.mark.parametrize("address", PAGES)
def test_each_address_of_a_view_answers_with_the_page(
    browser: TestClient, site: Site, address: str
) -> None:
    answer = browser.get(re.sub(r"{\w+}", "some-id", address))
    assert answer.status_code == 200
    assert answer.content == site.page.body
    assert answer.headers["cache-control"] == "no-cache"
    assert browser.head("/").status_code == 200


def test_the_policy_lets_only_our_own_scripts_run(
    browser: TestClient, site: Site
) -> None:
    policy = browser.get("/").headers["content-security-policy"]
    digest = b64encode(hashlib.sha256(import_map(site).encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_has_no_inline_script_except_the_import_map(site: Site) -> None:
    page = site.page.body.decode()
    bodies = re.findall(r"<script(?![^>]* src=)[^>]*>", page)
    assert bodies == ['<script type="importmap">']
    assert "<style" not in page
    assert " style=" not in page


def test_an_asset_is_cached_for_ever_under_the_digest_of_all_assets(
    browser: TestClient, site: Site
) -> None:
    answer = browser.get(site.prefix + "app.js")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == (STATIC / "app.js").read_bytes()
    plain = browser.get(site.prefix + "app.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content


def test_a_missing_asset_is_not_answered_with_the_page(
    browser: TestClient, site: Site
) -> None:
    for path in ("nothing.js", "../site.py", "%2e%2e/site.py"):
        assert browser.get(site.prefix + path).status_code == 404


def test_a_changed_operation_changes_the_addresses_of_the_assets() -> None:
    one = Document("A", "query", "{a}")
    other = Document("A", "query", "{b}")
    assert build_site((one,), TEXTS).prefix != build_site((other,), TEXTS).prefix
    assert build_site((one,), TEXTS).prefix == build_site((one,), TEXTS).prefix


def test_the_texts_of_the_provider_are_a_module(site: Site) -> None:
    module = site.assets["provider.js"].body.decode()
    values = dict(re.findall(r"^export const (\w+)=(.*);$", module, re.MULTILINE))
    assert json.loads(values["ENDED_REASONS"]) == TEXTS.ended_reasons


def test_operations_are_sent_by_name_and_never_as_text(site: Site) -> None:
    module = site.assets["ops.js"].body.decode()
    document = read_documents()[0]
    assert document.id in module
    assert document.text not in module


def test_the_dashboard_uses_the_domain_s_sets_of_states(site: Site) -> None:
    module = site.assets["states.js"].body.decode()
    sets = dict(re.findall(r"export const (\w+)=new Set\((.*)\);", module))
    assert {name: set(json.loads(values)) for name, values in sets.items()} == {
        "LIVE": {"QUEUED", "RINGING", "IN_PROGRESS"},
        "MAY_DIAL": {"QUEUED", "DIALING", "RUNNING"},
        "FINISHED": {"COMPLETED", "CANCELED", "FAILED"},
    }


@pytest.mark.parametrize("view", VIEWS)
def test_the_first_load_of_a_view_is_less_than_90_kilobytes(
    site: Site, view: str
) -> None:
    """The sizes are those of the compressed files, as they are sent."""
    paths = imported("app.js", site) | imported(f"views/{view}", site)
    paths |= {"theme.js", "icon.svg"}
    paths |= {f"styles/{path.name}" for path in (STATIC / "styles").iterdir()}
    sent = len(site.page.compressed) + sum(
        len(site.assets[one].compressed) for one in paths
    )
    assert 20_000 < sent < MOST_BYTES


def test_every_import_of_a_module_can_be_resolved(site: Site) -> None:
    modules = [path for path in site.assets if path.endswith((".js", ".mjs"))]
    for module in modules:
        assert imported(module, site) <= set(site.assets)


def test_every_file_that_the_page_names_exists(site: Site) -> None:
    named = re.findall(r'(?:href|src)="([^"]+)"', site.page.body.decode())
    assert len(named) > 10
    assert {path.removeprefix(site.prefix) for path in named} <= set(site.assets)


def test_compressed_assets_decompress_to_the_plain_ones(site: Site) -> None:
    for asset in site.assets.values():
        assert gzip.decompress(asset.compressed) == asset.body


def test_each_library_has_the_digest_of_the_manifest() -> None:
    libraries = json.loads((VENDOR / "vendor.json").read_text("utf-8"))
    named = {file["to"]: file["sha256"] for one in libraries for file in one["files"]}
    there = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes())
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "vendor.json"
    }
    assert {path: digest.hexdigest() for path, digest in there.items()} == named


def test_each_library_includes_its_licence() -> None:
    libraries = json.loads((VENDOR / "vendor.json").read_text("utf-8"))
    words = {"MIT": "Permission is hereby granted", "Apache-2.0": "Apache License"}
    for library in libraries:
        (licence,) = (f["to"] for f in library["files"] if f["to"].endswith("LICENSE"))
        assert words[library["license"]] in (VENDOR / licence).read_text("utf-8")

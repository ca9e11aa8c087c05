"""The page and its assets, read and compressed once."""

import gzip
import hashlib
import json
import mimetypes
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from application.ports import ProviderTexts
from domain import states
from interfaces.dashboard.documents import Document

STATIC = Path(__file__).with_name("static")
PAGE = "index.html"
OPERATIONS_MODULE = "ops.js"
STATES_MODULE = "states.js"
PROVIDER_MODULE = "provider.js"
STATES = {
    "LIVE": ("ContactStatus", states.LIVE),
    "MAY_DIAL": ("CampaignState", states.MAY_DIAL),
    "FINISHED": ("CampaignState", states.FINISHED),
}
"""The domain's sets that `states.js` exports: GraphQL enum and values, by name."""
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", "": "text/plain"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent: plain and gzip-compressed."""

    body: bytes
    compressed: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Site:
    """The page and its assets, by path under `prefix`, a digest of their content."""

    prefix: str
    page: Asset
    policy: str
    assets: Mapping[str, Asset]


def build_site(
    documents: tuple[Document, ...],
    texts: ProviderTexts,
    *,
    media_sources: tuple[str, ...] = (),
    oidc: bool = False,
    folder: Path = STATIC,
) -> Site:
    """Read the dashboard's files; recordings may be played from `media_sources`.

    `texts` are those of the provider, for its ended reasons.
    """
    files = {path: body for path, body in _files(folder) if path != PAGE}
    files[OPERATIONS_MODULE] = _operations_module(documents)
    files[STATES_MODULE] = _states_module()
    files[PROVIDER_MODULE] = _provider_module(texts)
    prefix = f"/ui/{_digest(files)}/"
    import_map = _import_map(files["vendor/vendor.json"], prefix)
    page = _page((folder / PAGE).read_text("utf-8"), prefix, import_map, oidc=oidc)
    return Site(
        prefix,
        _asset(PAGE, page.encode()),
        _policy(import_map, media_sources),
        {path: _asset(path, body) for path, body in files.items()},
    )


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file.read_bytes()


def _operations_module(documents: tuple[Document, ...]) -> bytes:
    lines = (
        f"export const {one.name}={json.dumps({'id': one.id, 'kind': one.kind})};"
        for one in documents
    )
    return "\n".join(lines).encode()


def _states_module() -> bytes:
    lines = (
        f"export const {name}=new Set({json.dumps(sorted(values))});"
        for name, (_, values) in STATES.items()
    )
    return "\n".join(lines).encode()


def _provider_module(texts: ProviderTexts) -> bytes:
    reasons = dict(texts.ended_reasons)
    return f"export const ENDED_REASONS={json.dumps(reasons)};".encode()


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for path, body in sorted(files.items()):
        whole.update(path.encode() + b"\0" + body + b"\0")
    return whole.hexdigest()[:16]


def _import_map(manifest: bytes, prefix: str) -> str:
    libraries: list[dict[str, Any]] = json.loads(manifest)
    imports = {
        name: f"{prefix}vendor/{path}"
        for library in libraries
        for name, path in library["imports"].items()
    }
    return json.dumps({"imports": imports}, separators=(",", ":"))


def _page(template: str, prefix: str, import_map: str, *, oidc: bool) -> str:
    filled = template.replace("{prefix}", prefix).replace("{imports}", import_map)
    return filled.replace("{oidc}", "yes" if oidc else "no")


def _policy(import_map: str, media_sources: tuple[str, ...]) -> str:
    digest = b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' 'sha256-{digest}'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "media-src": " ".join(("'self'", *media_sources)),
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def _asset(path: str, body: bytes) -> Asset:
    known = KINDS.get(Path(path).suffix) or mimetypes.guess_type(path)[0]
    kind = known or "application/octet-stream"
    text = kind.startswith("text/") or kind.endswith(("json", "svg+xml"))
    media_type = f"{kind}; charset=utf-8" if text else kind
    return Asset(body, gzip.compress(body, 9, mtime=0), media_type)

"""The configuration for nginx and Caddy, run in the proxies if they are installed."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from domain.values import Role
from interfaces.auth.rates import GUESSES_A_MINUTE
from tests.interfaces.serving import PEOPLE, ApiClient, Socket, serve_api
from tests.ports import free_port
from tests.support import eventually

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
CADDY = (2, 7)
GRAPHQL_WS = Subprotocol("graphql-transport-ws")


@dataclass(frozen=True)
class Proxied:
    """An API, and the URL of the proxy in front of it."""

    api: ApiClient
    url: str

    def get(self, path: str, token: str, **headers: str) -> httpx2.Response:
        headers |= {"Authorization": f"Bearer {token}"}
        return httpx2.get(f"{self.url}{path}", headers=headers, timeout=10)


def nginx(folder: Path, api: str, port: int) -> list[str]:
    page = (ROOT / "docs/operations/several-machines.md").read_text()
    found = re.search(r"^```nginx\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found
    config = re.sub(r"server 10\.\S+; server 10\.\S+;", f"server {api};", found[1])
    config = config.replace("listen 443 ssl;", f"listen {HOST}:{port};")
    config = re.sub(r"ssl_certificate\S* \S+;", "", config)
    scratch = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}}"
        f" http {{ access_log off; {scratch} {config} }}"
    )
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(file)]


def caddy(folder: Path, api: str, port: int) -> list[str]:
    config = (ROOT / "deploy/Caddyfile").read_text()
    config = config.replace("{$SITE}", f"http://{HOST}:{port}")
    config, found = re.subn(r"dynamic a \{.*?\}", f"to {api}", config, flags=re.DOTALL)
    assert found == 1
    file = folder / "Caddyfile"
    file.write_text("{\n\tadmin off\n}\n" + config)
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


@contextmanager
def proxied(
    kind: Callable[[Path, str, int], list[str]], api: ApiClient, folder: Path
) -> Iterator[Proxied]:
    port, log = free_port(HOST), folder / "log"
    command = kind(folder, api.url.removeprefix("http://"), port)
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=errors, stderr=errors) as process,
    ):
        try:
            found = Proxied(api, f"http://{HOST}:{port}")
            eventually(lambda: answers(found) or process.poll(), 20, what="the proxy")
            assert process.poll() is None, log.read_text()
            yield found
        finally:
            process.terminate()


def answers(proxied: Proxied) -> bool:
    with suppress(httpx2.TransportError):
        return httpx2.get(f"{proxied.url}/healthz", timeout=5).is_success
    return False


@pytest.fixture(scope="module")
def api(shared_database: str) -> Iterator[ApiClient]:
    with serve_api(shared_database) as api:
        yield api


def version_of_caddy() -> tuple[int, ...]:
    if not shutil.which("caddy"):
        return (0,)
    found = subprocess.run(["caddy", "version"], capture_output=True, check=True)
    return tuple(map(int, re.findall(rb"\d+", found.stdout)[:2]))


no_nginx = pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is missing")
no_caddy = pytest.mark.skipif(
    version_of_caddy() < CADDY, reason=f"caddy is missing, or older than {CADDY}"
)


@pytest.fixture(
    params=[pytest.param(nginx, marks=no_nginx), pytest.param(caddy, marks=no_caddy)],
    ids=["nginx", "caddy"],
)
def proxy(
    request: pytest.FixtureRequest, api: ApiClient, tmp_path: Path
) -> Iterator[Proxied]:
    tmp_path.parent.chmod(0o711)  # nginx workers do not run as root.
    tmp_path.chmod(0o777)
    with proxied(request.param, api, tmp_path) as found:
        yield found


def test_proxies_forward_sockets_and_streams_and_block_internal_paths(
    proxy: Proxied,
) -> None:
    api, token = proxy.api, proxy.api.token(Role.ADMIN)
    for path in ("/metrics", "/readyz"):
        assert proxy.get(path, token).status_code == 404
        assert api.get(path).status_code == 200
    campaign_id = api.campaign()
    with connect(
        f"ws{proxy.url.removeprefix('http')}/graphql", subprotocols=[GRAPHQL_WS]
    ) as connection:
        connection.send(
            '{"type": "connection_init",'
            f' "payload": {{"authorization": "Bearer {token}"}}}}'
        )
        socket = Socket(connection).acknowledged()
        query = "subscription($id: ID!) { campaignProgress(campaignId: $id) { state } }"
        socket.subscribe(query, id=campaign_id)
        assert socket.next() == {"campaignProgress": {"state": "CREATED"}}
    exported = proxy.get(f"/campaigns/{campaign_id}/export.csv", token)
    assert len(exported.text.splitlines()) == 3
    note = "x" * 1000
    large = PEOPLE + "".join(f"Nobody {n},,none,{note}\n" for n in range(5_000))
    taken = httpx2.post(
        f"{proxy.url}/uploads",
        content=large.encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "text/csv"},
        timeout=60,
    )
    assert taken.status_code == 201, taken.text
    assert taken.json()["report"]["accepted"] == 2


def test_failed_sign_ins_are_limited_by_the_address_that_the_proxy_sees(
    proxy: Proxied,
) -> None:
    """A client cannot avoid the limit by sending an X-Forwarded-For header."""
    path = f"/campaigns/{proxy.api.campaign()}/export.csv"
    with httpx2.Client(base_url=proxy.url, timeout=10) as client:
        for n in range(3 * GUESSES_A_MINUTE):
            spoofed = {"X-Forwarded-For": f"192.0.2.{n}"}
            wrong = {"Authorization": f"Bearer wrong {n}"}
            answer = client.get(path, headers=spoofed | wrong)
            if answer.status_code == 429:
                return
            assert answer.status_code == 401
    pytest.fail("no request was answered with 429")

"""A page of another site, in the browser of somebody who is signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.sync_api import BrowserContext

from tests.browser.installation import Installation

FORM = """(url) => { const form = document.createElement("form"); form.method = "post";
  form.action = url; document.body.append(form); form.submit(); }"""
SOCKET = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url, "graphql-transport-ws");
  socket.onopen = () => resolve("open"); socket.onerror = () => resolve("refused");
  setTimeout(() => resolve("no answer"), 60_000); })"""
ASK = """(url) => fetch(url, { method: "POST",
  body: JSON.stringify({ query: "{ me { email } }" }),
  headers: { "Content-Type": "application/json" } }).then((answer) => answer.json())"""


class Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>elsewhere</title>")

    def log_message(self, *_: object) -> None: ...


@contextmanager
def another_site() -> Iterator[str]:
    # Chromium opens connections in advance, on which no request may follow.
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_page_of_another_site_ends_no_session_and_opens_no_socket(
    installation: Installation, admin: BrowserContext
) -> None:
    socket = f"ws{installation.up.url.removeprefix('http')}/graphql"
    with another_site() as elsewhere:
        page = admin.new_page()
        page.goto(elsewhere)
        assert page.evaluate(SOCKET, socket) == "refused"
        with page.expect_response("**/sign-out") as answer:
            page.evaluate(FORM, f"{installation.up.url}/sign-out")
        assert answer.value.status == 403
        page.close()
    own = admin.new_page()
    own.goto(installation.up.url)
    assert own.evaluate(SOCKET, socket) == "open"
    refused = own.evaluate(ASK, f"{installation.up.url}/graphql")
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    own.close()

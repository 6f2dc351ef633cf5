"""The page as the daemon hands it out."""

from __future__ import annotations

import gzip
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from holdfast.domain.daemon import Listen
from tests.frontends.daemon import Answer

if TYPE_CHECKING:
    from tests.frontends.daemon import Daemon

pytestmark = pytest.mark.slow


def ask(daemon: Daemon, path: str, method: str = "GET", **headers: str) -> Answer:
    """Ask for a path of the page, without a credential."""
    with closing(daemon.connect(tcp=True)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


@pytest.mark.parametrize("path", ["/", "/sessions/anything", "/static/app.js", "/sw.js", "/manifest.webmanifest"])
def test_the_page_needs_no_credential(shared_daemon: Daemon, path: str) -> None:
    answer = ask(shared_daemon, path)

    assert answer.status == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_a_file_is_sent_once_and_packed(shared_daemon: Daemon) -> None:
    whole = ask(shared_daemon, "/static/app.js")
    packed = ask(shared_daemon, "/static/app.js", Accept_Encoding="br, gzip")
    refused = ask(shared_daemon, "/static/app.js", Accept_Encoding="gzip;q=0")
    again = ask(shared_daemon, "/static/app.js", If_None_Match=whole.headers["etag"])

    assert gzip.decompress(packed.body) == whole.body == refused.body
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%5capp.py",
        "/..%2f..%2fetc/passwd",
        "/nothing",
        "/api/v1/x",
    ],
)
def test_there_is_nothing_beside_the_page(shared_daemon: Daemon, path: str) -> None:
    answer = ask(shared_daemon, path)

    assert answer.status in (401, 404)
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_the_page_is_only_read(shared_daemon: Daemon) -> None:
    assert ask(shared_daemon, "/", "POST", Content_Type="application/json").status == 405


def test_another_host_gets_not_even_the_page(shared_daemon: Daemon) -> None:
    assert ask(shared_daemon, "/", Host="evil.example").status == 421


def test_without_the_page_the_daemon_has_none(daemon: Daemon) -> None:
    daemon.stop()
    daemon.start(Listen(port=0, web=False))

    assert ask(daemon, "/").status == 404

"""The files of the page as a server hands them out."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from holdfast.frontends.web.page import CONTENT_SECURITY_POLICY, STATIC, Page
from tests.support.programs import need

UNIT = Path(__file__).parent / "unit"


@pytest.fixture(scope="module")
def page() -> Page:
    return Page()


@pytest.mark.parametrize("path", ["/", "/sessions/0192-ab", "/new/x", "/replay/x", "/inbox", "/search", "/settings"])
def test_every_address_of_the_page_is_the_same_document(page: Page, path: str) -> None:
    asset = page.find(path)

    assert asset is not None
    assert asset.media_type == "text/html; charset=utf-8"
    assert asset.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    "path",
    [
        "/sessions",
        "/sessions/a/b",
        "/nothing",
        "/static",
        "/static/",
        "/static/../page.py",
        "/static/..%2fpage.py",
        "/static//index.html",
        "/static/lib",
        "/static/lib/../app.js",
        "//etc/passwd",
        "/static/\x00",
        "",
    ],
)
def test_what_is_no_address_and_no_file_is_nothing(page: Page, path: str) -> None:
    assert page.find(path) is None


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_inline() -> None:
    policy = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    document = (STATIC / "index.html").read_text()

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"unsafe|https?:|\*", CONTENT_SECURITY_POLICY)
    assert not re.search(r"<style|\son\w+=|\sstyle=|<script(?![^>]*\ssrc=)", document)
    assert all(address.startswith("/") for address in re.findall(r'(?:src|href)="([^"]+)"', document))


def test_a_file_that_changes_gets_another_tag(page: Page, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("one")
    one = Page(tmp_path).find("/")
    (tmp_path / "index.html").write_text("two")
    two = Page(tmp_path).find("/")

    assert one is not None
    assert two is not None
    assert one.etag != two.etag


def test_a_packed_file_is_the_file_and_shorter(page: Page) -> None:
    script, picture = page.find("/static/app.js"), page.find("/static/icon-192.png")

    assert script is not None
    assert script.packed is not None
    assert gzip.decompress(script.packed) == script.body
    assert len(script.packed) < len(script.body)
    assert picture is not None
    assert picture.packed is None or len(picture.packed) < len(picture.body)


def test_what_the_page_keeps_for_offline_is_every_file_of_it(page: Page) -> None:
    listed = page.find("/static/files.json")

    assert listed is not None
    for name in json.loads(listed.body):
        assert page.find(f"/static/{name}") is not None
    assert "app.js" in json.loads(listed.body)


def test_every_module_that_is_imported_exists(page: Page) -> None:
    for path in STATIC.rglob("*.js"):
        for imported in re.findall(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""", path.read_text()):
            assert (path.parent / imported).resolve().is_file(), f"{path.name} imports {imported}"


def test_markup_is_never_made_of_strings() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(|new Function"
    )

    for path in STATIC.rglob("*.js"):
        if path.parent.name != "vendor":
            assert not forbidden.search(path.read_text()), path.name


def test_vendored_libraries_come_with_their_licences() -> None:
    told = (STATIC / "vendor" / "README.txt").read_text()

    for path in (STATIC / "vendor").glob("*.js"):
        assert path.name in told
    assert "MIT" in (STATIC / "vendor" / "preact.LICENSE.txt").read_text()
    assert "Apache License" in (STATIC / "vendor" / "htm.LICENSE.txt").read_text()


@pytest.mark.slow
@pytest.mark.node
@pytest.mark.parametrize("module", sorted(path.name for path in UNIT.glob("*.test.mjs")))
def test_the_pages_own_modules(module: str) -> None:
    told = subprocess.run(
        [need("node"), "--test", "--test-reporter=tap", UNIT / module],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert told.returncode == 0, told.stdout[-6_000:]
    assert re.search(r"^# pass [1-9]", told.stdout, re.MULTILINE)

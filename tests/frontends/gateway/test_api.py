"""The API of a real daemon, about sessions that were imported: no agent is needed for any of it."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.codes import rebuilt
from tests.frontends.daemon import Answer, Daemon

if TYPE_CHECKING:
    from tests.support.cli import Cli

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[3] / "docs/examples/claude-session.jsonl"
EXAMPLE_ID = "5f0c7d2e-3b1a-4c86-9a57-2e8f61d0b943"


@pytest.fixture
def told(daemon: Daemon) -> Daemon:
    """A daemon that knows one session."""
    answer = daemon.post("/imports", {"sources": [str(EXAMPLE)]})
    assert answer.status == 200, answer.body
    return daemon


def another(daemon: Daemon, name: str = "another") -> str:
    """Import a second session and return its id."""
    session_id = f"00000000-0000-4000-8000-{len(name):012}"
    copy = daemon.home.parent / f"{name}.jsonl"
    copy.write_text(EXAMPLE.read_text().replace(EXAMPLE_ID, session_id))
    assert daemon.post("/imports", {"sources": [str(copy)]}).status == 200
    return session_id


def refused(answer: Answer, status: int, code: str) -> str:
    problem = answer.json()
    assert (answer.status, problem["status"], problem["code"]) == (status, status, code), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "about:blank"
    assert problem["title"]
    return str(problem["detail"])


def test_what_the_api_answers_is_what_the_command_line_prints(told: Daemon, cli: Cli) -> None:
    def printed(*arguments: str) -> Any:
        done = cli(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert told.get("/sessions").json()["items"] == printed("ls", "--json")
    assert told.get(f"/sessions/{EXAMPLE_ID}").json() == printed("ls", "--json")[0]
    assert told.get(f"/sessions/{EXAMPLE_ID}/transcript?limit=1000").json() == printed("show", EXAMPLE_ID, "--json")
    assert told.get(f"/sessions/{EXAMPLE_ID}/last-turn").json() == printed("peek", EXAMPLE_ID, "--json")
    assert told.get("/search?q=harbour").json()["items"] == printed("search", "harbour", "--json")
    assert told.get("/events").lines() == [json.loads(line) for line in cli("events").stdout.splitlines()]


def test_a_transcript_is_read_backwards_page_by_page(told: Daemon) -> None:
    whole = told.get(f"/sessions/{EXAMPLE_ID}/transcript?limit=1000").json()
    pages: list[list[Any]] = []
    before = ""
    while True:
        page = told.get(f"/sessions/{EXAMPLE_ID}/transcript?limit=4{before}").json()
        pages.insert(0, page["items"])
        if page["before"] is None:
            break
        before = f"&before={page['before']}"

    assert [item for page in pages for item in page] == whole["items"]
    assert whole["before"] is None
    chosen = whole["items"][5]["id"]
    around = told.get(f"/sessions/{EXAMPLE_ID}/around?item={chosen}&each_side=1").json()
    assert [item["id"] for item in around["items"]] == [item["id"] for item in whole["items"][4:7]]


def test_a_place_in_a_transcript_of_another_store_beyond_the_head_or_without_sense_is_gone(told: Daemon) -> None:
    transcript = f"/sessions/{EXAMPLE_ID}/transcript"
    head = told.get(transcript).json()["position"]

    assert told.get(f"{transcript}?before={head}").status == 200
    for cursor in (f"{'0' * 32}.{head}", str(head + 1), "-1", "nonsense", "", "1.1", "9" * 30):
        refused(told.get(f"{transcript}?before={cursor}"), 410, "cursor")


def test_the_roster_can_be_asked_for_in_pages_by_state_and_by_transport(told: Daemon) -> None:
    second, third = another(told, "second"), another(told, "another one")
    told.post(f"/sessions/{third}/end")

    first_page = told.get("/sessions?limit=1").json()
    second_page = told.get(f"/sessions?limit=1&after={first_page['after']}").json()

    names = {item["id"] for page in (first_page, second_page) for item in page["items"]}
    assert names == {EXAMPLE_ID, second}
    assert second_page["after"] is None
    assert [row["id"] for row in told.get("/sessions?state=ended").json()["items"]] == [third]
    assert len(told.get("/sessions?state=all").json()["items"]) == 3
    assert len(told.get("/sessions?transport=import").json()["items"]) == 2
    assert told.get("/sessions?transport=acp").json()["items"] == []
    refused(told.get("/sessions?after=nonsense"), 410, "cursor")
    refused(told.get("/sessions?state=confused"), 400, "usage")
    refused(told.get("/sessions?limit=0"), 400, "usage")


def test_marks_answer_with_the_row_and_name_who_made_them(told: Daemon) -> None:
    session = f"/sessions/{EXAMPLE_ID}"

    assert told.post(f"{session}/rename", {"title": "Ebbe ⚓"}, Holdfast_Client="test").json()["title"] == "Ebbe ⚓"
    assert told.post(f"{session}/unread").json()["unread"] == 1
    assert told.post(f"{session}/read", {}).json()["unread"] == 0
    assert told.post(f"{session}/pin", {"pinned": True}).json()["pinned"] is True
    assert told.post(f"{session}/mute", {"until": None}).json()["muted_until"] == "9999-12-31T23:59:59.999Z"
    muted = told.post(f"{session}/mute", {"until": "2030-01-01T00:00:00Z"}).json()
    assert muted["muted_until"] == "2030-01-01T00:00:00.000Z"
    assert told.post(f"{session}/mute", {"muted": False}).json()["muted_until"] is None
    assert told.post(f"{session}/end").json()["lifecycle"] == "ended"

    (renamed,) = told.get("/events?type=session-renamed").lines()
    assert renamed["actor"] == {"kind": "human", "device": "test"}


@pytest.mark.parametrize("as_header", [True, False])
def test_the_same_client_id_again_is_answered_with_the_first_result(told: Daemon, *, as_header: bool) -> None:
    path = f"/sessions/{EXAMPLE_ID}/rename"
    body: dict[str, object] = {"title": "once"} if as_header else {"title": "once", "client_id": "c-1"}
    headers = {"Idempotency_Key": "c-1"} if as_header else {}
    first = told.post(path, body, **headers)
    told.post(path, {"title": "in between"})

    again = told.post(path, body, **headers)

    assert (again.status, again.body) == (first.status, first.body)
    assert told.get(f"/sessions/{EXAMPLE_ID}").json()["title"] == "in between", "it happened once"
    assert [each["cause"] for each in told.get("/events?type=session-renamed").lines()] == ["c-1", None]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "c-9"}, {"Accept": "application/x-ndjson"}])
def test_no_answer_is_remembered_however_a_session_was_erased(told: Daemon, headers: dict[str, str]) -> None:
    path = f"/sessions/{EXAMPLE_ID}"
    told.post(f"{path}/rename", {"title": "secret", "client_id": "c-1"})
    told.request("DELETE", path, headers=headers)

    refused(told.post(f"{path}/rename", {"title": "secret", "client_id": "c-1"}), 409, "session_erased")


def test_no_answer_is_remembered_of_a_session_that_was_erased(told: Daemon) -> None:
    path = f"/sessions/{EXAMPLE_ID}"
    told.post(f"{path}/rename", {"title": "secret", "client_id": "c-1"})
    erased = told.request("DELETE", path, headers={"Idempotency-Key": "c-2"})

    assert told.request("DELETE", path, headers={"Idempotency-Key": "c-2"}).status == erased.status == 204
    refused(told.request("DELETE", path, headers={"Idempotency-Key": "c-3"}), 404, "not_found")
    refused(told.post(f"{path}/rename", {"title": "secret", "client_id": "c-1"}), 409, "session_erased")


def test_the_same_command_on_many_connections_at_once_has_one_answer(told: Daemon) -> None:
    path, key = f"/sessions/{EXAMPLE_ID}", {"Idempotency_Key": "c-1"}
    with ThreadPoolExecutor(8) as many:
        asked = [many.submit(told.post, f"{path}/rename", {"title": "x"}, **key) for _ in range(8)]
        renamed = [each.result() for each in asked]
        asked = [many.submit(told.request, "DELETE", path, headers={"Idempotency-Key": "c-1"}) for _ in range(8)]
        erased = [each.result() for each in asked]

    assert {(each.status, each.body) for each in renamed} == {(200, renamed[0].body)}
    assert {each.status for each in erased} == {204}


def test_a_refused_command_is_no_first_result(told: Daemon) -> None:
    path = f"/sessions/{EXAMPLE_ID}"
    refused(told.request("DELETE", f"{path}/queue/nothing", headers={"Idempotency-Key": "c-1"}), 404, "not_found")
    refused(told.post(f"{path}/rename", {"title": "", "client_id": "c-2"}), 400, "usage")

    assert told.post(f"{path}/rename", {"title": "now", "client_id": "c-2"}).json()["title"] == "now"


def test_erasing_leaves_a_chain_that_verifies_and_nothing_to_read(told: Daemon) -> None:
    assert told.request("DELETE", f"/sessions/{EXAMPLE_ID}").status == 204

    refused(told.get(f"/sessions/{EXAMPLE_ID}"), 404, "not_found")
    refused(told.request("DELETE", f"/sessions/{EXAMPLE_ID}"), 404, "not_found")
    assert told.get("/verify").json()["ok"] is True
    assert told.get("/search?q=harbour").json()["items"] == []


def test_unknown_sessions_items_and_paths_are_not_found(told: Daemon) -> None:
    nobody = "/sessions/nobody"
    paths = [nobody, f"{nobody}/transcript", f"{nobody}/wait?until=idle", f"{nobody}/export?format=md", "/nothing"]
    paths += [f"/sessions/{EXAMPLE_ID}/around?item=nothing", f"/sessions/{EXAMPLE_ID}%00"]
    for path in (*paths, "/resolve?name=nobody", "/events?session=nobody"):
        refused(told.get(path), 404, "not_found")
    refused(told.post("/sessions/nobody/read"), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("/status", "GET, HEAD"),
        ("/sessions", "GET, HEAD, POST"),
        (f"/sessions/{EXAMPLE_ID}", "DELETE, GET, HEAD"),
        (f"/sessions/{EXAMPLE_ID}/queue", "DELETE, GET, HEAD"),
        (f"/sessions/{EXAMPLE_ID}/queue/p1", "DELETE, PATCH"),
        (f"/sessions/{EXAMPLE_ID}/prompts", "POST"),
        ("/verify", "GET, HEAD, POST"),
    ],
)
def test_a_method_that_does_nothing_is_told_all_those_that_do(shared_daemon: Daemon, path: str, taken: str) -> None:
    answer = shared_daemon.request("PUT", path)

    said = refused(answer, 405, "method")
    assert said == f"PUT does nothing here: this address takes {taken}"
    assert answer.headers["allow"] == taken


def test_names_are_resolved_as_on_the_command_line(told: Daemon) -> None:
    assert told.get(f"/resolve?name={EXAMPLE_ID[:4]}").json() == {"id": EXAMPLE_ID}
    told.post(f"/sessions/{EXAMPLE_ID}/rename", {"title": "twins"})
    told.post(f"/sessions/{another(told)}/rename", {"title": "twins"})

    answer = told.get("/resolve?name=twins")

    detail = refused(answer, 409, "ambiguous_name")
    problem = answer.json()
    error = rebuilt("ambiguous_name", detail, name=problem["name"], candidates=problem["candidates"])
    assert isinstance(error, HoldfastError)
    assert str(error) == detail
    assert "'twins' fits 2 sessions" in detail


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "usage"),
        (b"", 400, "usage"),
        (b"[]", 400, "usage"),
        (b'{"title": 1}', 400, "usage"),
        (b'{"title": "  "}', 400, "usage"),
        (b'{"title": "\xff"}', 400, "usage"),
        (b'{"title": "\\ud800"}', 400, "usage"),
        (b'{"title": ' + b"[" * 100_000, 400, "usage"),
        (b'{"title": "x", "client_id": ""}', 400, "usage"),
        (b'{"title": "x", "client_id": "a\\nb"}', 400, "usage"),
        (b'{"title": "' + b"x" * 1_100_000 + b'"}', 413, "too_large"),
    ],
)
def test_a_body_that_cannot_be_used_changes_nothing(shared_daemon: Daemon, body: bytes, status: int, code: str) -> None:
    shared_daemon.post("/imports", {"sources": [str(EXAMPLE)]})
    before = shared_daemon.get("/digests").json()

    refused(shared_daemon.request("POST", f"/sessions/{EXAMPLE_ID}/rename", body), status, code)

    assert shared_daemon.get("/digests").json() == before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"title": "a\xff"}', "it is not UTF-8, at byte 12"),
        (b'{"title": "\\ud800"}', "\\ud800 at byte 11 is half of a character"),
        (b'{"title": "\\\\\\udc00 b"}', "\\udc00 at byte 13 is half of a character"),
        (b'{"title": "\\ud83d\\ude00\\ude00"}', "\\ude00 at byte 23 is half of a character"),
        (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"title": ', "the body cannot be used: "),
    ],
)
def test_a_body_that_is_no_text_is_told_why(shared_daemon: Daemon, body: bytes, said: str) -> None:
    shared_daemon.post("/imports", {"sources": [str(EXAMPLE)]})

    detail = refused(shared_daemon.request("POST", f"/sessions/{EXAMPLE_ID}/rename", body), 400, "usage")

    assert said in detail
    assert "\n" not in detail


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "one content block or more"),
        ([{"text": "no type"}], "content[0] has no type: a content block is one of text, image"),
        (
            [{"type": "text", "text": "a"}, {"type": "video"}],
            "content[1] is of type 'video': a content block is",
        ),
        ([{"type": ["text"]}], "content[0] is of type"),
        ([{"type": "text"}], "content[0] is of type 'text' and has no 'text'"),
        ([{"type": "image", "data": "", "mimeType": 7}], "has no 'mimeType'"),
        (
            [{"type": "image", "data": "no base64!", "mimeType": "image/png"}],
            "content[0] is of type 'image', and its 'data' is",
        ),
        ([{"type": "image", "data": "aGk", "mimeType": "image/png"}], "its 'data' is no base64"),
        ([{"type": "image", "data": "aGk=\naGk=", "mimeType": "image/png"}], "its 'data' is no base64"),
        ([{"type": "image", "data": "-_-_", "mimeType": "image/png"}], "its 'data' is no base64"),
        ([{"type": "image", "data": "", "mimeType": "image/png"}], "its 'data' is empty"),
        ([{"type": "audio", "data": "\u00e4\u00f6", "mimeType": "audio/wav"}], "its 'data' is no base64"),
        ([{"type": "resource", "resource": {"uri": "file:///a", "blob": "*"}}], "its 'blob' is no base64"),
        ([{"type": "resource", "resource": {"uri": "file:///a", "blob": 7}}], "its 'blob' is no base64"),
        ([{"type": "resource_link", "uri": "file:///a"}], "has no 'name'"),
        ([{"type": "resource", "resource": "file:///a"}], "has no 'resource'"),
        ("  ", "the prompt is empty"),
    ],
)
def test_content_that_no_agent_takes_is_refused_before_anything_is_written(
    shared_daemon: Daemon, content: object, said: str
) -> None:
    shared_daemon.post("/imports", {"sources": [str(EXAMPLE)]})
    before = shared_daemon.get("/digests").json()

    assert said in refused(shared_daemon.post(f"/sessions/{EXAMPLE_ID}/prompts", {"content": content}), 400, "usage")
    assert said in refused(shared_daemon.post("/sessions", {"agent": "demo", "prompt": content}), 400, "usage")

    assert shared_daemon.get("/digests").json() == before


def test_bytes_that_are_spelled_right_are_taken(shared_daemon: Daemon) -> None:
    content = [
        {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"},
        {"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"},
        {"type": "resource", "resource": {"uri": "file:///empty", "blob": "", "mimeType": "text/plain"}},
        {"type": "resource", "resource": {"uri": "file:///words", "text": "no base64!"}},
    ]
    begun = shared_daemon.post("/sessions", {"agent": "demo", "prompt": content})

    assert begun.status == 201, begun
    shared_daemon.request("DELETE", f"/sessions/{begun.json()['id']}")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", ""])
def test_only_json_is_taken(shared_daemon: Daemon, kind: str) -> None:
    shared_daemon.post("/imports", {"sources": [str(EXAMPLE)]})

    answer = shared_daemon.post(f"/sessions/{EXAMPLE_ID}/rename", {"title": "x"}, Content_Type=kind)

    refused(answer, 415, "media_type")


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(shared_daemon: Daemon) -> None:
    connection = shared_daemon.connect()
    try:
        headers = {"Authorization": f"Bearer {shared_daemon.token}", "Content-Type": "application/json"}
        pieces = (b"x" * 65_536 for _ in range(32))
        connection.request("POST", "/api/v1/imports", pieces, headers, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # it closed while there was more to send, which is the same refusal
    finally:
        connection.close()
    assert shared_daemon.get("/status").status == 200


def test_cursors_of_another_store_beyond_the_head_or_without_sense_are_gone(told: Daemon) -> None:
    head = told.get(f"/sessions/{EXAMPLE_ID}/transcript").json()["position"]

    assert told.get(f"/events?after={head}").lines() == []
    for cursor in (f"{'0' * 32}.1", str(head + 1), "-1", "x", "", "1.1", "9" * 30, "٣"):
        refused(
            told.request("GET", f"/events?after={cursor.encode().hex() if cursor == '٣' else cursor}"), 410, "cursor"
        )


def test_followed_events_come_as_they_are_committed(told: Daemon) -> None:
    head = told.get(f"/sessions/{EXAMPLE_ID}/transcript").json()["position"]
    with told.streaming(f"/events?follow=true&after={head}&session={EXAMPLE_ID}") as events:
        for number in range(3):
            told.post(f"/sessions/{EXAMPLE_ID}/rename", {"title": f"title {number}"})
            assert next(events)["data"] == {"title": f"title {number}"}


def test_a_wait_returns_when_it_is_so_and_says_when_it_was_not(told: Daemon) -> None:
    path = f"/sessions/{EXAMPLE_ID}/wait"

    assert told.get(f"{path}?until=idle").json()["id"] == EXAMPLE_ID
    assert "0.1 s" in refused(told.get(f"{path}?until=ended&timeout=0.1"), 408, "timed_out")
    told.post(f"/sessions/{EXAMPLE_ID}/end")
    assert told.get(f"{path}?until=ended").json()["lifecycle"] == "ended"


def test_exports_are_what_the_formats_promise(told: Daemon) -> None:
    path = f"/sessions/{EXAMPLE_ID}/export"

    lines = told.get(f"{path}?format=jsonl")
    page = told.get(f"{path}?format=html")
    bundle = told.get(f"{path}?format=bundle")

    assert json.loads(lines.body.splitlines()[0])["session_id"] == EXAMPLE_ID
    assert page.headers["content-type"].startswith("text/html")
    assert "attachment" in page.headers["content-disposition"]
    with tarfile.open(fileobj=io.BytesIO(bundle.body)) as archive:
        assert {"events.jsonl", "SHA256SUMS", "verify.py"} <= set(archive.getnames())
        events = archive.extractfile("events.jsonl")
        assert events is not None
        assert events.read().count(b"\n") == lines.body.count(b"\n")
    refused(told.get(f"{path}?format=pdf"), 400, "usage")
    refused(told.get(f"{path}?format=bundle&redact=true"), 400, "usage")


def test_an_import_that_fails_says_what_it_did_not_find(daemon: Daemon) -> None:
    refused(daemon.post("/imports", {"sources": ["/nowhere/at/all"]}), 404, "not_found")
    refused(daemon.post("/imports", {"sources": [str(daemon.home / "token")]}), 422, "transcript")
    refused(daemon.post("/imports", {"sources": []}), 400, "usage")


def test_what_takes_long_tells_how_far_it_is(told: Daemon) -> None:
    lines = told.get("/verify", Accept="application/x-ndjson").lines()

    assert all(each["progress"][0] == "events" for each in lines[:-1])
    assert lines[-1]["result"]["ok"] is True
    problem = told.post("/imports", {"sources": ["/nowhere"]}, Accept="application/x-ndjson").lines()[-1]
    assert problem["problem"]["code"] == "not_found"


def test_a_watched_transcript_is_imported_as_it_grows(daemon: Daemon, tmp_path: Path) -> None:
    lines = EXAMPLE.read_text().splitlines(keepends=True)
    growing = tmp_path / "growing.jsonl"
    growing.write_text("".join(lines[:10]))

    report = daemon.post("/imports", {"sources": [str(growing)], "watch": True}).json()
    head = report["events"]
    with daemon.streaming(f"/events?follow=true&after={head}") as events:
        with growing.open("a") as file:
            file.write("".join(lines[10:]))
        assert next(events)["session_id"] == EXAMPLE_ID

    assert daemon.get("/imports").json()["watched"] == [str(growing)]


def test_a_watch_of_a_client_lasts_as_long_as_the_client(daemon: Daemon, tmp_path: Path) -> None:
    lines = EXAMPLE.read_text().splitlines(keepends=True)
    growing = tmp_path / "growing.jsonl"
    growing.write_text("".join(lines[:10]))
    connection = daemon.connect()
    headers = {
        "Authorization": f"Bearer {daemon.token}",
        "Content-Type": "application/json",
        "Accept": "application/x-ndjson",
    }
    body = json.dumps({"sources": [str(growing)], "watch": True})
    connection.request("POST", "/api/v1/imports", body, headers)
    with connection.getresponse() as response:
        results = (each["result"] for each in map(json.loads, response) if "result" in each)
        assert next(results)["sessions"] == 1
        with growing.open("a") as file:
            file.write("".join(lines[10:]))
        assert next(results)["events"] > 0
    connection.close()

    assert daemon.get("/imports").json()["watched"] == []
    assert daemon.stop() == 0


def test_what_the_configuration_watches_is_imported_from_the_start(tmp_home: Path) -> None:
    shutil.copy(EXAMPLE, tmp_home.parent / "watched.jsonl")
    watched = [str(tmp_home.parent / "watched.jsonl"), "/nowhere/at/all"]
    (tmp_home / "config.toml").write_text(f"[import]\nwatch = {json.dumps(watched)}\n")
    daemon = Daemon(tmp_home)
    try:
        daemon.start()
        with daemon.streaming("/events?follow=true&type=session-created") as events:
            assert next(events)["session_id"] == EXAMPLE_ID
    finally:
        daemon.close()


def test_the_views_are_kept_up_and_can_be_built_anew(told: Daemon) -> None:
    assert told.post("/rebuild", {}).json() == told.get("/digests").json()
    assert {each["check"]: each["ok"] for each in told.get("/doctor").json()["items"]}["store"] is True


def test_every_operation_is_in_the_reference(shared_daemon: Daemon) -> None:
    page = (EXAMPLE.parents[1] / "reference/http.md").read_text()
    paths = shared_daemon.get("/openapi.json").json()["paths"]
    offered = {f"{method.upper()} {path.removeprefix('/api/v1')}" for path in paths for method in paths[path]}

    described = set(re.findall(r"`((?:GET|POST|PATCH|DELETE) /[^` ]*)`", page.partition("## Routes")[2]))

    assert described == offered

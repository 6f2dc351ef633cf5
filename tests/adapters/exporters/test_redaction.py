"""No secret that has a known shape or value leaves in a document."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.exporters.redaction import WITHHELD, Redactor
from holdfast.domain.exported import Removed

BODY = "Zk3vQ9xB7mT1pL5sW8nR2cJ6"
SECRETS = {
    f"sk-ant-api03-{BODY}": "provider key",
    f"sk-proj-{BODY}": "provider key",
    f"sk_live_{BODY}": "provider key",
    f"AIza{BODY}{BODY}": "provider key",
    f"xoxb-{BODY}": "provider key",
    f"glpat-{BODY}": "provider key",
    "AKIAIOSFODNN7EXAMPLE": "AWS key",
    f"ghp_{BODY}": "GitHub token",
    f"github_pat_{BODY}": "GitHub token",
    f"eyJhbGciOi.{BODY}.{BODY}": "JWT",
    f"Bearer {BODY}": "authorization",
    f"Authorization: Basic {BODY}": "authorization",
    f"password={BODY}": "password",
    f'"db_password": "{BODY} {BODY}"': "password",
    f"aws_secret_access_key = {BODY}": "password",
    f"--password {BODY}": "password",
    f"export API_KEY='{BODY}'": "password",
    f"postgresql://me:{BODY}@db/shop": "password in a URL",
    f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END RSA PRIVATE KEY-----": "private key",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\\n{BODY}\\n": "private key",
    json.dumps({"env": json.dumps({"token": BODY})}): "password",
    json.dumps({"a": json.dumps({"b": json.dumps({"token": f'x"{BODY}'})})}): "password",
    json.dumps({"env": json.dumps({"token": f"a {BODY} cut"})})[:-5]: "password",
    f"postgresql://me:p@{BODY}@db/shop": "password in a URL",
    f"https://AWS:{BODY * 20}@registry.example": "password in a URL",
    f"--token {BODY}==": "password",
    f"DB_PASSWORD=p,{BODY}": "password",
    f"password:{' ' * 20}{BODY}": "password",
    f"password: |\n  first\n  {BODY}": "password",
    f'password = """\n{BODY}\n"""': "password",
    f"<db.password>{BODY}</db.password>": "password",
}


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret[:20])
def test_a_secret_by_its_shape_goes_and_what_stands_around_it_stays(secret: str) -> None:
    removed = Removed()

    cleaned = Redactor({}, removed)(f"before {secret}\nafter")

    assert BODY not in cleaned
    assert "AKIAIOSFODNN7EXAMPLE" not in cleaned
    assert cleaned.startswith("before ")
    assert SECRETS[secret] in removed.kinds
    if "private" not in SECRETS[secret]:
        assert cleaned.endswith("\nafter")


@pytest.mark.parametrize(
    "text",
    [
        "Nothing to see here: a word, a key on the table, 12 tokens",
        "the tokens: 12, the passwords: none",
        "import os; from pathlib import Path",
        "https://example.org/a/b?c=d#e",
        "sk-short and AKIA and eyJ",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    removed = Removed()

    assert Redactor({}, removed)(text) == text
    assert removed.kinds == {}


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "github_token", "MY_SECRET", "DB_PASSWORD", "DB_PASS", "SECRET_KEY_BASE", "API_KEY_2"]
)
def test_a_known_value_goes_however_it_is_written(name: str) -> None:
    value = 'corréct "horse"/battery'
    removed = Removed()
    redactor = Redactor({name: value}, removed)

    for written in (
        value,
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        "corr%C3%A9ct%20%22horse%22%2Fbattery",
    ):
        assert "horse" not in redactor(f"it is {written}.")
    assert removed.kinds == {"known value": 4}


def test_a_known_value_of_several_lines_goes_however_they_are_indented() -> None:
    redactor = Redactor({"TLS_KEY": "first line\nsecond line"}, Removed())

    assert "second" not in redactor("key:\n    first line\n    second line\n")
    assert "second" not in redactor('{"key": "first line\\nsecond line"}'.replace("\\n", "\n"))


def test_only_the_value_of_a_name_goes() -> None:
    redactor = Redactor({}, Removed())

    assert redactor("user: me\n  password: |\n    a\n    b\n  port: 1") == (
        "user: me\n  password: [redacted: password]\n  port: 1"
    )
    assert redactor("<password>a b</password>") == "<password>[redacted: password]</password>"
    assert redactor("--token a==") == "--token [redacted: password]"


def test_values_of_other_variables_and_very_short_ones_stay() -> None:
    redactor = Redactor({"EDITOR": "hemlock", "A_KEY": "abc", "B_KEY": "wide"}, Removed())

    assert redactor("hemlock abc widened") == "hemlock abc widened"
    assert redactor("so wide.") == "so [redacted: known value]."


def test_a_text_that_still_shows_something_goes_whole() -> None:
    removed = Removed()
    redactor = Redactor({"ODD_TOKEN": "[redacted: AWS key]"}, removed)

    assert redactor("AKIAIOSFODNN7EXAMPLE") == WITHHELD
    assert "whole text" in removed.kinds


@given(st.text(), st.sampled_from(sorted(SECRETS)), st.text())
def test_no_surroundings_save_a_known_value(before: str, secret: str, after: str) -> None:
    redactor = Redactor({"SOME_SECRET": BODY}, Removed())

    assert BODY not in redactor(f"{before}{secret}{after}")


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "sk-", "password", "password=", '"', "-----BEGIN PRIVATE KEY-----", "eyJ.", "\\", "://a:"),
        *("<", "<token", "token:", "token:|\n a", 'token:\\\\"', 'token:"""', "://a:b@"),
    ],
)
def test_megabytes_without_a_line_end_take_no_age(piece: str) -> None:
    redactor = Redactor({"SOME_SECRET": BODY}, Removed())
    text = piece * (1_000_000 // len(piece))
    began = time.process_time()

    redactor(text)

    assert time.process_time() - began < 20

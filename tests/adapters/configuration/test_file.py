"""What `config.toml` may say, and what is said of one that cannot be used."""

from __future__ import annotations

import os
from contextlib import contextmanager
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.configuration.file import Configuration, Storage, database_url, policies, read_configuration
from holdfast.domain.errors import SettingsError, StoreError
from holdfast.domain.policy import AgentPolicy
from holdfast.domain.policy_table import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

NOBODY = 65_534


@contextmanager
def without_permission(folder: Path) -> Generator[None]:
    """Be somebody who may not enter `folder`: root becomes another user, everybody else locks it."""
    folder.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)


def read(folder: Path, text: str) -> Configuration:
    (folder / "config.toml").write_text(dedent(text))
    return read_configuration(folder / "config.toml")


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert read_configuration(tmp_path / "config.toml") == Configuration()
    assert read_configuration(tmp_path / "no" / "config.toml") == Configuration()


def test_the_environment_overrides_the_address_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[storage]\nurl = "sqlite:////srv/log.db"\n')

    configuration = read_configuration(path)

    assert configuration == Configuration(Storage("sqlite:////srv/log.db"))
    assert database_url(configuration, {"HOLDFAST_DATABASE_URL": ""}) == "sqlite:////srv/log.db"
    assert database_url(configuration, {"HOLDFAST_DATABASE_URL": "postgresql+psycopg://x/y"}) == (
        "postgresql+psycopg://x/y"
    )


@pytest.mark.parametrize(
    "content", [b"[storage", b"[storage]\nurl = 5\n", b'[storage]\nulr = "x"\n', b"[stroage]\n", b"\xff\xfe"]
)
def test_what_cannot_be_used_is_a_setting_and_not_a_silence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"config\.toml cannot be used"):
        read_configuration(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "[agents]\nenv = []\nhibernate_after = 3\n",
            r"unknown field `hibernate_after`.*\(line 3\): correct it",
        ),
        ('[storage]\nurl = "x"\n[agents]\ninitialize_timeout_s = "a"\n', r"\(line 4\)"),
        ("\n[stroage]\n", r"unknown field `stroage` \(line 2\)"),
        ("[agents]\n[agents\n", r"\(at line 2, column 8\): correct it"),
        ("[targets.mine]\n", r"config\.toml cannot be used: \[targets\.mine\] needs"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_its_line(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read(tmp_path, content)


def test_a_home_of_somebody_else_is_no_wrong_setting(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()

    with without_permission(home), pytest.raises(StoreError, match="no permission to read") as refusal:
        read_configuration(home / "config.toml")

    assert not isinstance(refusal.value, SettingsError)


class TestPeersAndPolicies:
    def test_limits_targets_and_policies_are_read(self, tmp_path: Path) -> None:
        configuration = read(
            tmp_path,
            """
            [agents]
            hibernate_after_s = 0
            env = ["MY_KEY"]
            [targets.mine]
            command = ["my-agent", "--acp"]
            env = ["MY_KEY"]
            [transports.acp.reconnect]
            cap_s = 60
            max_attempts = 5
            """,
        )

        assert configuration.agents == AgentPolicy(hibernate_after_s=0, env=("MY_KEY",))
        assert configuration.targets["mine"].command == ("my-agent", "--acp")
        changed = policies(configuration, DEFAULTS)
        assert (changed["acp"].reconnect.cap_s, changed["acp"].reconnect.max_attempts) == (60, 5)
        assert changed["acp"].reconnect.terminal == DEFAULTS["acp"].reconnect.terminal
        assert changed["xmpp"] == DEFAULTS["xmpp"]

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("[agents]\nhibernate_after = 3", "hibernate_after"),
            ("[agents]\nprompt_watchdog_s = -1", "cannot be negative"),
            ("[agents]\ninitialize_timeout_s = 0", "more than 0"),
            ('[targets.x]\nuri = "acp+ws://h"\ncommand = ["a"]', "either command"),
            ("[targets.x]\n", "either command"),
            ('[targets.x]\nuri = "acp+ws://h"\npassword = "p"', "password"),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_one_line(self, tmp_path: Path, text: str, complaint: str) -> None:
        with pytest.raises(SettingsError, match=complaint) as refused:
            read(tmp_path, text)

        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("[transports.acp.reconnect]\ncaps = 3", r"config\.toml, \[transports\.acp\].*`caps`"),
            ("[transports.telex]", "config.toml sets policies of 'telex'"),
        ],
    )
    def test_a_transport_or_a_cell_that_does_not_exist_is_refused(
        self, tmp_path: Path, text: str, complaint: str
    ) -> None:
        with pytest.raises(SettingsError, match=complaint):
            policies(read(tmp_path, text), DEFAULTS)

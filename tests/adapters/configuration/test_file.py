"""What `config.toml` may say, and what is said of one that cannot be used."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.configuration.file import Configuration, Storage, database_url, read_configuration
from holdfast.domain.errors import SettingsError, StoreError

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


def test_a_home_of_somebody_else_is_no_wrong_setting(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()

    with without_permission(home), pytest.raises(StoreError, match="no permission to read") as refusal:
        read_configuration(home / "config.toml")

    assert not isinstance(refusal.value, SettingsError)

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.adapters.storage.settings import StoreSettings, refuse_environment
from holdfast.domain.errors import SettingsError


def test_an_absolute_path_is_a_sqlite_store() -> None:
    settings = StoreSettings.from_url("sqlite:////var/lib/holdfast/log.db")

    assert (settings.dialect, settings.path) == ("sqlite", Path("/var/lib/holdfast/log.db"))


def test_a_relative_path_is_one_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert StoreSettings.from_url("sqlite:///log.db").path == tmp_path.resolve() / "log.db"


def test_two_names_of_one_file_are_one_store(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    one, other = (StoreSettings.from_url(f"sqlite:///{tmp_path}/{name}/log.db") for name in ("real", "link"))

    assert one.path == other.path


def test_a_percent_sign_in_a_path_is_written_as_in_any_url(tmp_path: Path) -> None:
    assert StoreSettings.from_url(f"sqlite:///{tmp_path}/a%20b%25.db").path == tmp_path.resolve() / "a b%.db"


def test_a_postgres_address_is_shown_without_its_password() -> None:
    settings = StoreSettings.from_url("postgresql+psycopg://ann:hunter2@db.example:5433/log")

    assert settings.dialect == "postgresql"
    assert settings.label == "postgresql+psycopg://ann:***@db.example:5433/log"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "log.db",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///log.db?mode=memory",
        "sqlite://host/log.db",
        "postgresql://h/d",
        "postgresql+psycopg://",
        "postgresql+asyncpg://h/d",
        "mysql://h/d",
        "http://h/d",
        "mysql://u:[bad/",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        StoreSettings.from_url(url)


def test_a_refusal_does_not_tell_the_password() -> None:
    with pytest.raises(SettingsError) as refusal:
        StoreSettings.from_url("mysql://ann:hunter2@h/d")

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTGRES_ENABLE_DB_FUNCTIONS", "y"),
        ("POSTGRES_ENABLE_DB_FUNCTIONS", "True"),
        ("LOG_POSTGRES_ENABLE_DB_FUNCTIONS", "1"),
        ("PERSISTENCE_MODULE", "os"),
        ("INFRASTRUCTURE_FACTORY", "os:path"),
        ("FACTORY_TOPIC", "os:path"),
        ("TRANSCODER_TOPIC", "os:path"),
        ("MAPPER_TOPIC", "os:path"),
        ("COMPRESSOR_TOPIC", "zlib"),
        ("CIPHER_TOPIC", "os:path"),
        ("APPLICATION_RECORDER_TOPIC", "os:path"),
        ("PROCESS_RECORDER_TOPIC", "os:path"),
    ],
)
def test_what_would_lose_events_or_import_code_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        refuse_environment({name: value})


def test_database_functions_that_are_switched_off_are_no_harm() -> None:
    refuse_environment({"POSTGRES_ENABLE_DB_FUNCTIONS": "no", "MAPPER_TOPIC": "", "PATH": "/bin"})


@pytest.mark.parametrize(
    "spelt",
    [
        "postgresql+psycopg://bob:other@127.0.0.1/log",
        "postgresql+psycopg:///log?host=localhost&port=5432",
        "postgresql+psycopg://ann@LOCALHOST:5432/?dbname=log&sslmode=disable",
    ],
)
def test_one_store_has_one_digest_whoever_asks_and_however_it_is_spelt(spelt: str) -> None:
    known = StoreSettings.from_url("postgresql+psycopg://ann:hunter2@localhost/log")

    assert StoreSettings.from_url(spelt).digest == known.digest


def test_other_stores_have_other_digests(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in "ab"]
    urls += [f"postgresql+psycopg://me@{place}" for place in ("h/log", "h/other", "i/log", "h:5433/log")]

    assert len({StoreSettings.from_url(url).digest for url in urls}) == len(urls)

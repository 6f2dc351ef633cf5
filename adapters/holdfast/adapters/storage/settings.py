"""Where the store lies and how to open it, read from one address. No database library is imported here."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from msgspec import Struct

from holdfast.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

Dialect = Literal["sqlite", "postgresql"]

_POSTGRES_SCHEME = "postgresql+psycopg"
_TRUTHY = frozenset({"y", "yes", "t", "true", "on", "1"})
_TOPICS = (
    "PERSISTENCE_MODULE",
    "INFRASTRUCTURE_FACTORY",
    "FACTORY_TOPIC",
    "TRANSCODER_TOPIC",
    "MAPPER_TOPIC",
    "COMPRESSOR_TOPIC",
    "CIPHER_TOPIC",
)


class StoreSettings(Struct, frozen=True):
    """One store's address and the few numbers that open it.

    Attributes:
        url: The address as given; may hold a password, so show `label` instead.
        dialect: Which database it is.
        path: The database file, absolute and free of links; None on Postgres.
        home: The folder of the process that opens it, named to whoever finds the store occupied.
        wait_s: How long a second writer waits for the first one to leave.
    """

    url: str
    dialect: Dialect
    path: Path | None = None
    home: Path | None = None
    wait_s: float = 10.0

    @classmethod
    def from_url(
        cls, url: str, *, home: Path | None = None, wait_s: float = 10.0, environ: Mapping[str, str] | None = None
    ) -> StoreSettings:
        """Parse `sqlite:///path` or `postgresql+psycopg://…`.

        Args:
            url: The address. Three slashes are followed by a path; a fourth one makes it absolute.
            home: The folder of the calling process.
            wait_s: Seconds to wait for another writer.
            environ: Checked for variables with which `eventsourcing` would import code or skip events.

        Raises:
            SettingsError: The address is of another kind, or the environment asks for what is refused.
        """
        refuse_environment(environ or {})
        if url.startswith("sqlite:"):
            return cls(url, "sqlite", _sqlite_path(url), home, wait_s)
        scheme, _, rest = url.partition("://")
        if scheme == _POSTGRES_SCHEME and rest:
            return cls(url, "postgresql", None, home, wait_s)
        msg = f"unknown database address {_without_password(url)!r}: use sqlite:///PATH or {_POSTGRES_SCHEME}://…"
        raise SettingsError(msg)

    @property
    def label(self) -> str:
        """The address for people: the path, or the URL without its password."""
        return str(self.path) if self.path is not None else _without_password(self.url)

    @property
    def digest(self) -> str:
        """What tells this store from others: of where it lies, never of user or password; two spellings give one."""
        where = str(self.path) if self.path is not None else _place(self.url)
        return sha256(f"holdfast store {self.dialect} {where}".encode()).hexdigest()[:32]


def refuse_environment(environ: Mapping[str, str]) -> None:
    """Refuse the variables of `eventsourcing` that would lose events or import a module of someone else's choice.

    They may carry an application's name in front, as the library reads them that way too.

    Raises:
        SettingsError: One of them is set.
    """
    for name, value in environ.items():
        upper = name.upper()
        if upper.endswith("POSTGRES_ENABLE_DB_FUNCTIONS") and value.strip().lower() in _TRUTHY:
            msg = f"{name} is set: the database functions of eventsourcing skip events for subscribers; unset it"
            raise SettingsError(msg)
        if value and (upper.endswith(_TOPICS) or upper.endswith("_RECORDER_TOPIC")):
            msg = f"{name} is set: it would import a module that the environment chose; unset it"
            raise SettingsError(msg)


def _sqlite_path(url: str) -> Path:
    prefix, text = url[:10], unquote(url[10:])
    if prefix != "sqlite:///" or not text or "?" in text or text == ":memory:" or "\0" in text:
        msg = f"cannot use the database address {url!r}: a store is a file, as in sqlite:///PATH"
        raise SettingsError(msg)
    # Two names of one file must not be two stores: the lock lies beside the file itself.
    return Path(text).expanduser().resolve()


def _place(url: str) -> str:
    """Return server and database of an address of PostgreSQL, which may stand in front or among its parameters."""
    try:
        parts = urlsplit(url)
        given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        host = given.get("host") or unquote(parts.hostname or "")
        port = given.get("port") or str(parts.port or 5432)
    except ValueError:
        return url
    database = given.get("dbname") or unquote(parts.path.strip("/")) or given.get("user") or parts.username or ""
    return f"{'localhost' if host.lower() in _HERE else host.lower()} {port} {database}"


_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.password is None:
            return url
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{host}"))
    except ValueError:
        return url.partition(":")[0] + ":…"

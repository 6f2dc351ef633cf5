"""`config.toml`: what it may say, read strictly, so that a mistyped setting is an error and not a silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from holdfast.domain.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Storage(Struct, frozen=True, forbid_unknown_fields=True):
    """`[storage]`: where the log lies; None for the SQLite file in the home."""

    url: str | None = None


class Importing(Struct, frozen=True, forbid_unknown_fields=True):
    """`[import]`: what the daemon imports as it grows: files, folders, names of tools."""

    watch: tuple[str, ...] = ()


class Configuration(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. Everything has a default."""

    storage: Storage = Storage()
    import_: Importing = field(default=Importing(), name="import")


def read_configuration(path: Path) -> Configuration:
    """Return what the file says; defaults where there is none.

    Raises:
        SettingsError: It cannot be read, is no TOML, or sets something unknown.
        StoreError: This user may not read it, or not enter its folder.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Configuration()
    except PermissionError as error:
        msg = f"no permission to read {path}: ask its owner"
        raise StoreError(msg) from error
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise SettingsError(msg) from error
    import tomllib  # noqa: PLC0415 - only where there is a file

    try:
        return msgspec.convert(tomllib.loads(content.decode()), Configuration)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        msg = f"{path} cannot be used: {error}"
        raise SettingsError(msg) from error


def database_url(configuration: Configuration, environ: Mapping[str, str]) -> str | None:
    """Return the address of the store that the environment or the file names, None for the default one."""
    return environ.get("HOLDFAST_DATABASE_URL") or configuration.storage.url

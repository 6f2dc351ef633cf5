"""`config.toml`: what it may say, read strictly, so that a mistyped setting is an error and not a silence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct, field

from holdfast.domain.errors import SettingsError, StoreError
from holdfast.domain.notifying.settings import NotificationSettings, quiet_hours
from holdfast.domain.policy import AgentPolicy, Target, TransportPolicy, overridden, unheeded
from holdfast.domain.preferences import TraySettings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


_SECRET: Final = re.compile("KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH", re.IGNORECASE)


class Storage(Struct, frozen=True, forbid_unknown_fields=True):
    """`[storage]`: where the log lies; None for the SQLite file in the home."""

    url: str | None = None


class Importing(Struct, frozen=True, forbid_unknown_fields=True):
    """`[import]`: what the daemon imports as it grows: files, folders, names of tools."""

    watch: tuple[str, ...] = ()


class Configuration(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. Everything has a default.

    Attributes:
        agents: `[agents]`: limits of agents that run as programs.
        targets: `[targets.NAME]`: peers by the names that `holdfast new` takes.
        transports: `[transports.NAME.GROUP]`: cells of the policies of a kind of peer that are to be others.
        tray: `[tray]`: how the icon on the desktop behaves.
        notifications: `[notifications]`: what a person is told of.
    """

    storage: Storage = Storage()
    import_: Importing = field(default=Importing(), name="import")
    agents: AgentPolicy = AgentPolicy()
    targets: dict[str, Target] = {}
    transports: dict[str, dict[str, object]] = {}
    tray: TraySettings = TraySettings()
    notifications: NotificationSettings = NotificationSettings()


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
    return parsed(content, path)


def parsed(content: bytes, path: Path) -> Configuration:
    """Return what the content of a file says.

    Raises:
        SettingsError: It is no TOML, or sets something unknown.
    """
    import tomllib  # only where there is a file

    try:
        return _checked(msgspec.convert(tomllib.loads(content.decode()), Configuration))
    except SettingsError as error:
        msg = f"{path} cannot be used: {error}"
        raise SettingsError(msg) from error
    except msgspec.ValidationError as error:
        msg = f"{path} cannot be used: {error}{_line_of(content.decode(), str(error))}: correct it or take it out"
        raise SettingsError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"{path} cannot be used: {error}: correct it"
        raise SettingsError(msg) from error


def _line_of(text: str, complaint: str) -> str:
    """Return which line a complaint is about, in words, where only one can be meant."""
    named = re.search(r"field `([^`]+)`", complaint) or re.search(r"`\$(?:\.[^`]*)?\.([^.`\[]+)[^`.]*`$", complaint)
    if named is None:
        return ""
    key = re.escape(named[1])
    found = [at for at, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*(\[.*\b{key}\b|[\"']?{key}\b)", line)]
    return f" (line {found[0]})" if len(found) == 1 else ""


def policies(
    configuration: Configuration,
    shipped: Mapping[str, TransportPolicy],
    heeds: Mapping[str, Collection[str]] | None = None,
) -> dict[str, TransportPolicy]:
    """Return the policies of every transport: what it brings, with the cells replaced that the file names.

    Args:
        configuration: The file.
        shipped: What the transports bring.
        heeds: The cells that each of them goes by beside those that hold for all.

    Raises:
        SettingsError: The file names a transport or a cell that does not exist, or a cell that would do nothing.
    """
    unknown = sorted(configuration.transports.keys() - shipped.keys())
    if unknown:
        msg = f"config.toml sets policies of {unknown[0]!r}, but the transports here are {', '.join(sorted(shipped))}"
        raise SettingsError(msg)
    changed = {name: _changed(name, policy, configuration) for name, policy in shipped.items()}
    for name, policy in changed.items():
        if idle := unheeded(shipped[name], policy, () if heeds is None else heeds.get(name, ())):
            msg = f"config.toml sets {idle[0]} for {name}, which peers of {name} have no use for: take it out"
            raise SettingsError(msg)
    return changed


def _changed(name: str, policy: TransportPolicy, configuration: Configuration) -> TransportPolicy:
    try:
        return overridden(policy, configuration.transports.get(name, {}))
    except SettingsError as error:
        msg = f"config.toml, [transports.{name}]: {error}"
        raise SettingsError(msg) from error


def handed_on(configuration: Configuration, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values that agents are handed because the file says so, as far as their names speak of secrets."""
    names = {*configuration.agents.env, *(name for each in configuration.targets.values() for name in each.env)}
    return tuple(environ[name] for name in sorted(names) if environ.get(name) and _SECRET.search(name))


def _checked(configuration: Configuration) -> Configuration:
    agents = configuration.agents
    for name in ("hibernate_after_s", "prompt_watchdog_s", "abandon_after_s"):
        if getattr(agents, name) < 0:
            msg = f"[agents] {name} cannot be negative; 0 switches it off"
            raise SettingsError(msg)
    for name in ("initialize_timeout_s", "frame_limit_bytes"):
        if getattr(agents, name) <= 0:
            msg = f"[agents] {name} must be more than 0"
            raise SettingsError(msg)
    for name, target in configuration.targets.items():
        if bool(target.command) == bool(target.uri):
            msg = f'[targets.{name}] needs either command = [...] or uri = "…"'
            raise SettingsError(msg)
    _check_notifications(configuration.notifications)
    return configuration


def _check_notifications(notifications: NotificationSettings) -> None:
    try:
        quiet_hours(notifications.quiet_hours)
    except ValueError as error:
        msg = f"[notifications] {error}"
        raise SettingsError(msg) from error
    if notifications.muted_until is not None and notifications.muted_until.tzinfo is None:
        msg = "[notifications] muted_until names no time zone: write it as 2026-03-12T09:30:00Z"
        raise SettingsError(msg)
    if not notifications.time_zone:
        return
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # only where a zone is named

    try:
        ZoneInfo(notifications.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"[notifications] there is no time zone {notifications.time_zone!r}: write it as Europe/Berlin"
        raise SettingsError(msg) from error


def database_url(configuration: Configuration, environ: Mapping[str, str]) -> str | None:
    """Return the address of the store that the environment or the file names, None for the default one."""
    return environ.get("HOLDFAST_DATABASE_URL") or configuration.storage.url

"""What a person has chosen for the tray and for notifications, and where a frontend reads and changes it."""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct

from holdfast.domain.notifying.settings import NotificationSettings


class TraySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[tray]` of the configuration.

    Attributes:
        keep_running: Whether the daemon goes on when the tray is closed; None while nobody was asked.
        open: Where a session is opened: on the page, or in a terminal.
        terminal: The command of the terminal to open one in, without what it is to run; empty for what is found.
    """

    keep_running: bool | None = None
    open: Literal["web", "tui"] = "web"
    terminal: tuple[str, ...] = ()


class Chosen(Struct, frozen=True):
    """Everything that was chosen."""

    tray: TraySettings = TraySettings()
    notifications: NotificationSettings = NotificationSettings()


class Preferences(Protocol):
    """The choices of one home."""

    @property
    def home(self) -> str:
        """Name the home; two that differ have different sessions."""
        ...

    def read(self) -> Chosen:
        """Return them as they are now. Cheap to call again: a file that did not change is not read anew.

        Raises:
            SettingsError: Somebody wrote what cannot be understood.
        """
        ...

    def change(self, section: Literal["tray", "notifications"], name: str, value: object) -> Chosen:
        """Change one and return all; None takes it back to what it is without a choice.

        Raises:
            SettingsError: The value is none for this, or the file cannot be understood or written.
        """
        ...

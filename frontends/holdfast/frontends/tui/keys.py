"""What every key does, in the words of the help and of the reference."""

from __future__ import annotations

from typing import Final

KEYS: Final[tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = (
    (
        "Everywhere",
        (
            ("Ctrl+K", "go to a session, or do something"),
            ("Alt+1 … 9", "open one of the first nine sessions"),
            ("Esc", "back; it never ends anything"),
            ("Ctrl+Q", "leave; every session goes on"),
            ("?", "all keys, where you are not typing"),
        ),
    ),
    (
        "In the list",
        (
            ("↑ ↓  j k", "move; Home and End, PgUp and PgDn"),
            ("Enter", "open"),
            ("Space", "peek at it, and reply from there with r"),
            ("Tab", "next session that needs you"),
            ("u", "next unread session"),
            ("n", "new session"),
            ("/", "search everything that was said or run"),
            ("i", "inbox: whatever needs you, over all sessions"),
            ("e", "inspector: events, approvals, connection, frames"),
            ("m", "mark unread"),
            ("M", "mute for a while, or not any more"),
            ("p", "pin, or not any more"),
            ("R", "rename"),
            ("x", "export to a file in this folder"),
            ("E", "end it, after asking once"),
            ("X", "remove it for good, after asking once"),
            ("z", "show the ended ones too, or not"),
            ("q", "leave; every session goes on"),
        ),
    ),
    (
        "In a session",
        (
            ("Enter", "send; while it is busy: put in the queue"),
            ("Shift+Enter  Ctrl+J", "break the line"),
            ("Tab", "from the composer to what needs you, and back"),
            ("a A d z", "on a request that has the focus: allow once, always, deny, later"),
            ("1 … 9", "there: whatever else the agent offers"),
            ("/  @", "at the beginning: the agent's commands; anywhere: files"),
            ("Shift+Tab", "the transcript, to move in and to fold; and back"),
            ("Alt+↑ ↓  [ ]", "previous and next prompt; the brackets where you are not typing"),
            ("Ctrl+T", "the plan"),
            ("Ctrl+C", "copy what is marked with the mouse, else stop the turn"),
            ("Alt+R", "connect now"),
            ("Alt+K  Alt+X", "where its agent no longer has it: keep the copy here, or remove it"),
            ("Ctrl+R", "play it again, with a scrubber"),
            ("Ctrl+O", "mode"),
        ),
    ),
)
"""What the help shows, and the reference too."""

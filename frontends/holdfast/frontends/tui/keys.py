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
            ("Alt+R", "connect now"),
            ("Ctrl+R", "play it again, with a scrubber"),
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
            ("Backspace", "at the beginning: takes a long text that was pasted out again"),
            ("↑  Ctrl+Z  Ctrl+Y", "what was sent before, or what waits; undo; redo"),
        ),
    ),
    (
        "In its transcript, and on a request",
        (
            ("↑ ↓  j k", "move; PgUp and PgDn, Home and End"),
            ("Enter  Space", "unfold, all of it, fold again"),
            ("c  y", "copy what it says"),
            ("l", "copy a link to it"),
            ("i", "inspect it: the events as the log has them"),
            ("s", "save the pictures and files in it, in this folder"),
            ("f", "on a request: all of a long command, or folded again"),
            (".  u", "open the next session that needs you, or that is unread"),
            ("n  /  e", "new session, search, inspector"),
            ("m M p R x X", "as in the list"),
        ),
    ),
    (
        "In what waits to be sent",
        (
            ("↑ ↓  j k", "move"),
            ("Enter  e", "change it"),
            ("d  x", "take it back"),
            ("r", "send now what waits after an interruption"),
        ),
    ),
    (
        "In the inbox",
        (
            ("a A d z  1 … 9", "answer, as in a session; z puts it at the end"),
            ("Enter", "open its session"),
        ),
    ),
    (
        "In the inspector",
        (
            ("Tab  1 … 4", "another part: events, approvals, connection, frames"),
            ("Enter", "whole, or short again"),
        ),
    ),
    (
        "In a replay",
        (
            ("Space  p", "play, or pause"),
            ("← →", "the item before, or the next one"),
            ("[ ]", "the prompt before, or the next one"),
            ("- +", "slower, faster"),
            ("Home  End", "the beginning, the end"),
        ),
    ),
)
"""What the help shows, and the reference too."""

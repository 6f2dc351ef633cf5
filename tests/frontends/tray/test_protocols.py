"""The menu as a panel asks for it, the bus's address, and the entry that a desktop starts."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from dbus_fast import Variant

from holdfast.domain.errors import DesktopError
from holdfast.frontends.tray.freedesktop.autostart import Autostart
from holdfast.frontends.tray.freedesktop.bus import address_of
from holdfast.frontends.tray.freedesktop.lines import Lines
from holdfast.frontends.tray.port import Entry

if TYPE_CHECKING:
    from pathlib import Path


OLD = (Entry(("allow", "r1"), "Allow", acts=True), Entry(("quit",), "Quit", acts=True))
NEW = (Entry(("allow", "r2"), "Allow", acts=True), Entry(("quit",), "Quit", acts=True))


def test_a_late_click_never_means_another_line() -> None:
    lines = Lines()
    lines.take(OLD)
    old = lines.number(("allow", "r1"))

    lines.take(NEW)
    assert (old in lines, lines.acting(old)) == (False, None)

    lines.take(OLD)
    assert lines.number(("allow", "r1")) == old
    assert lines.acting(old) == ("allow", "r1")


def test_a_menu_that_is_the_same_is_no_news() -> None:
    lines = Lines()

    assert [lines.take(menu) for menu in (OLD, OLD, NEW)] == [True, False, True]
    assert lines.revision == 3


def test_only_a_line_that_acts_means_something() -> None:
    lines = Lines()
    lines.take((Entry(("said",), "Only said"), *OLD))

    assert [lines.acting(number) for number in (lines.number(("said",)), 0, -1, 99)] == [None] * 4


def test_a_single_underscore_would_hide_and_is_doubled() -> None:
    lines = Lines()
    lines.take((Entry(("a",), "a_b__c", acts=True),))

    assert lines.properties(lines.number(("a",)))["label"] == Variant("s", "a__b____c")


def test_lines_are_told_apart_by_their_properties() -> None:
    lines = Lines()
    lines.take((Entry(("a",)), Entry(("b",), "B"), Entry(("c",), "C", checked=True, acts=True)))

    told = [sorted(lines.properties(lines.number((key,)))) for key in "abc"]

    assert told == [["type"], ["enabled", "label"], ["label", "toggle-state", "toggle-type"]]


def test_a_layout_goes_as_deep_as_asked_and_has_what_was_asked() -> None:
    lines = Lines()
    lines.take((Entry(("top",), "Top", children=(Entry(("below",), "Below", acts=True),)),))
    top, below = lines.number(("top",)), lines.number(("below",))

    def asked(depth: int) -> list[object]:
        return lines.layout(0, depth, ["label"])

    inner: list[object] = [below, {"label": Variant("s", "Below")}, []]
    outer = {"label": Variant("s", "Top")}
    assert asked(0) == [0, {}, []]
    assert asked(1) == [0, {}, [Variant("(ia{sv}av)", [top, outer, []])]]
    assert asked(2) == asked(-1) == [0, {}, [Variant("(ia{sv}av)", [top, outer, [Variant("(ia{sv}av)", inner)]])]]


def test_the_bus_is_where_the_environment_says(tmp_path: Path) -> None:
    assert address_of({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}) == "unix:path=/x"


def test_else_it_is_in_its_usual_place(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "bus"))

        assert address_of({"XDG_RUNTIME_DIR": str(tmp_path)}) == f"unix:path={tmp_path}/bus"


def test_else_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "bus").write_text("no socket")

    with pytest.raises(DesktopError, match="no D-Bus session"):
        address_of({"XDG_RUNTIME_DIR": str(tmp_path)})


def test_the_entry_quotes_what_a_home_may_be_called(tmp_path: Path) -> None:
    entry = Autostart({"XDG_CONFIG_HOME": str(tmp_path), "HOLDFAST_HOME": '/a b/$c"\\`%u'})

    entry.enable()

    (line,) = [line for line in entry.path.read_text().splitlines() if line.startswith("Exec=")]
    assert line.startswith('Exec="env" "HOLDFAST_HOME=/a b/\\\\$c\\\\"\\\\\\\\\\\\`%%u" ')
    assert entry.enabled


def test_an_address_with_a_password_is_not_written_where_others_read(tmp_path: Path) -> None:
    entry = Autostart(
        {"XDG_CONFIG_HOME": str(tmp_path), "HOLDFAST_DATABASE_URL": "postgresql+psycopg://me:secret@db/x"}
    )

    done = entry.enable()

    assert "secret" not in entry.path.read_text()
    assert done[1] == "HOLDFAST_DATABASE_URL is not in it: put that into config.toml, as `[storage] url`"


def test_an_entry_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "autostart").write_text("a file where the folder should be")

    with pytest.raises(DesktopError, match="cannot be written"):
        Autostart({"XDG_CONFIG_HOME": str(tmp_path)}).enable()

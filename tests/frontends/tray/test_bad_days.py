"""No bus, no panel, a panel that restarts, a notification daemon that can do nothing: said once, and gone on."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.scripting import until
from tests.frontends.tray.asking import asks
from tests.frontends.tray.desk import NOTIFICATIONS, WATCHER

if TYPE_CHECKING:
    from tests.frontends.tray.desk import Desk
    from tests.journeys.world import World
    from tests.support.cli import Cli

pytestmark = [pytest.mark.slow, pytest.mark.dbus, pytest.mark.gdbus]

PLAIN = Path(__file__).with_name("plain_notifications.py")
NO_ICON = "holdfast: no icon: this desktop has no tray for it now; notifications go on\n"


def plain(desk: Desk, *able: str) -> None:
    desk.start("plain", [sys.executable, PLAIN, desk.folder / "notes", *able])
    desk.until_owned(NOTIFICATIONS)


def notes(desk: Desk) -> list[dict[str, Any]]:
    file = desk.folder / "notes"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def ready(desk: Desk) -> None:
    until(lambda: "all is quiet" in desk.icon("Title"), "the tray never was up to date")


def test_without_a_bus_it_says_so_in_one_line_and_starts_nothing(cli: Cli, tmp_path: Path) -> None:
    told = cli("tray", env={"XDG_RUNTIME_DIR": str(tmp_path)})

    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == (
        "holdfast: there is no D-Bus session here, so no icon and no notifications: "
        "start `holdfast tray` from your desktop\n"
    )
    assert cli("status").returncode == 5


def test_a_daemon_that_cannot_be_started_is_said_in_one_line(desk: Desk, tmp_home: Path, cli: Cli) -> None:
    (tmp_home / "token").write_text("open to all")
    (tmp_home / "token").chmod(0o644)

    told = cli("tray", env=desk.environ)

    refusal = told.stderr.removeprefix(NO_ICON)
    assert (told.returncode, told.stdout, refusal.count("\n")) == (4, "", 1)
    assert "token" in refusal


def test_another_store_than_the_daemons_is_refused(desk: Desk, world: World, tmp_path: Path, cli: Cli) -> None:
    told = cli("tray", env=desk.environ | {"HOLDFAST_DATABASE_URL": f"sqlite:///{tmp_path}/other.db"})

    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (4, "", 1)


@pytest.mark.parametrize("address", ["unix:path=/nonexistent/bus", "nonsense", "tcp:host=127.0.0.1,port=1", ";"])
def test_a_bus_that_is_not_there_is_said_in_one_line(cli: Cli, address: str) -> None:
    told = cli("tray", env={"DBUS_SESSION_BUS_ADDRESS": address})

    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (1, "", 1)
    assert "the D-Bus session cannot be reached" in told.stderr


def test_a_setting_that_cannot_be_understood_is_said_before_anything(cli: Cli, tmp_home: Path, desk: Desk) -> None:
    (tmp_home / "config.toml").write_text('[notifications]\nquiet_hours = "late"\n')

    told = cli("tray", env=desk.environ)

    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "'late' are no quiet hours: write them as 22:00-07:00" in told.stderr


def test_a_setting_that_is_spoilt_later_changes_nothing_and_stands_in_the_menu(desk: Desk, world: World) -> None:
    desk.tray()
    ready(desk)
    file = world.home / "config.toml"
    file.write_text("[tray\n")

    until(lambda: ask_to_show(desk) and "cannot be used" in desk.menu(), "the menu does not say so")
    assert desk.said("tray").count("cannot be used") == 1

    file.unlink()
    until(lambda: ask_to_show(desk) and "cannot be used" not in desk.menu(), "the menu still says so")


def ask_to_show(desk: Desk) -> str:
    return desk.call(desk.item(), "/Menu", "com.canonical.dbusmenu.AboutToShow", "0")


def test_there_is_one_tray_for_the_sessions_of_a_home(desk: Desk, world: World) -> None:
    desk.tray()
    ready(desk)

    desk.tray(name="second")

    assert desk.wait("second") == 4
    assert desk.said("second") == "holdfast: a tray for these sessions is there already: look for its icon\n"


@pytest.mark.panel
@pytest.mark.xvfb
def test_a_panel_that_comes_late_or_restarts_gets_the_icon(desk: Desk, world: World) -> None:
    desk.tray()
    ready(desk)
    until(lambda: desk.said("tray") == NO_ICON, "it does not say that there is no panel")

    desk.display()
    desk.panel()
    assert desk.until_shown() == desk.item()

    desk.end("panel", kill=True)
    until(lambda: not desk.owned(WATCHER), "the panel stays")
    desk.panel()
    assert desk.until_shown() == desk.item()
    assert len(desk.icons()) == 1
    assert desk.said("tray") == NO_ICON


def test_a_notification_daemon_without_buttons_and_markup_gets_neither(desk: Desk, world: World) -> None:
    plain(desk, "body")
    desk.tray()
    ready(desk)

    world.ready(world.agent(prompts=[asks({"title": "Read <a>", "kind": "read", "rawInput": {}})]).command, "Look")
    until(lambda: notes(desk), "nobody was told")

    (note,) = notes(desk)
    assert (note["summary"], note["body"].splitlines()[0], note["actions"]) == ("Needs you: Look", "Read <a>", [])
    assert (note["urgency"], note["silent"]) == (1, False)


def test_a_notification_daemon_that_is_replaced_is_asked_anew(desk: Desk, world: World) -> None:
    plain(desk, "body")
    desk.tray()
    ready(desk)
    session = world.ready(world.agent(prompts=[[{"say": "One."}], asks()]).command, "Look")
    until(lambda: len(notes(desk)) == 1, "nobody was told")
    desk.end("plain", kill=True)
    until(lambda: not desk.owned(NOTIFICATIONS), "it stays")

    plain(desk, "body", "actions")
    world.send(session, "Again")
    until(lambda: len(notes(desk)) == 2, "nobody was told")

    first, second = notes(desk)
    assert first["actions"] == []
    assert second["actions"] == ["default", "Open", "answer/0", "Allow", "answer/1", "Deny"]


def test_without_a_notification_daemon_it_says_so_once_and_goes_on(desk: Desk, world: World) -> None:
    desk.tray()
    ready(desk)
    until(lambda: desk.said("tray") == NO_ICON)
    agent = world.agent(prompts=[[{"say": "One."}]])

    world.ready(agent.command, "Look")
    until(lambda: "1 has news" in desk.icon("Title"), "the icon does not say so")
    world.ready(agent.command, "Look")
    until(lambda: "2 have news" in desk.icon("Title"), "the icon does not say so")

    said = desk.said("tray").removeprefix(NO_ICON)
    assert said.startswith("holdfast: no notifications: nothing on this desktop shows them")
    assert said.count("\n") == 1


def test_clicks_that_nobody_could_have_made_are_ignored(desk: Desk, world: World) -> None:
    plain(desk, "body", "actions")
    desk.tray()
    ready(desk)
    session = world.ready(world.agent(prompts=[asks()]).command, "Look")
    until(lambda: notes(desk), "nobody was told")
    path, action = "/org/freedesktop/Notifications", f"{NOTIFICATIONS}.ActionInvoked"

    for arguments in (("1", "answer/0"), ("1", "answer/9"), ("9", "answer/0"), ("1", "answer/x")):
        # gdbus is not who shows our notifications, whatever it says
        desk.ask("gdbus", "emit", "--session", "--object-path", path, "--signal", action, *arguments)
    for number in ("0", "-1", "4711"):
        desk.call(desk.item(), "/Menu", "com.canonical.dbusmenu.Event", number, "clicked", "<int32 0>", "0")
    layout = "com.canonical.dbusmenu.GetLayout"
    assert (
        desk.call(desk.item(), "/Menu", layout, "4711", "-1", "[]") == ""
    )  # an error, which gdbus does not print here
    gone = desk.line("Quit")
    assert gone is not None
    desk.call(desk.item(), "/Menu", "com.canonical.dbusmenu.Event", str(gone), "hovered", "<int32 0>", "0")
    world.cli("rename", session, "Shop")
    until(lambda: "Shop" in desk.menu(), "the tray does not go on")

    assert world.row(session)["attention"] == "needs_you"


def test_a_click_that_comes_with_the_notification_answers_nothing(desk: Desk, world: World) -> None:
    opened = desk.command("xdg-open")
    plain(desk, "body", "actions", "x-eager")
    desk.tray()
    ready(desk)

    session = world.ready(world.agent(prompts=[asks()]).command, "Look")

    until(opened.exists, "nothing was opened for it to be looked at")
    assert world.row(session)["attention"] == "needs_you"


def test_a_notification_daemon_that_hangs_holds_nothing_up(desk: Desk, world: World) -> None:
    plain(desk, "body", "actions")
    desk.tray()
    ready(desk)
    desk.signal("plain", signal.SIGSTOP)

    session = world.ready(world.agent(prompts=[asks()]).command, "Look")
    until(lambda: desk.line("Allow this once") is not None, "the menu does not go on")
    (request,) = world.daemon.get("/inbox").json()["items"]
    world.cli("deny", request["request_id"])
    world.wait(session)
    until(lambda: "1 has news" in desk.icon("Title"), "the icon does not go on")

    desk.signal("plain", signal.SIGCONT)
    until(lambda: notes(desk), "it was not told afterwards")


def test_a_bus_that_goes_and_comes_back_is_waited_for(desk: Desk, world: World) -> None:
    desk.tray()
    ready(desk)
    desk.end("bus", kill=True)
    until(lambda: "waiting for it to come back" in desk.said("tray"), "it does not say so")

    (desk.run / "bus").unlink()
    desk.bus()

    ready(desk)
    assert desk.said("tray").count("the D-Bus session of this desktop is gone") == 1
    assert world.daemon.get("/status").status == 200

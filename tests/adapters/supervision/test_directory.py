"""Whom a session is with, by what the log says of it."""

from __future__ import annotations

import shlex

import pytest
from msgspec.structs import replace

from holdfast.adapters.supervision.directory import Directory
from holdfast.adapters.transports.acp.transport import AcpTransport
from holdfast.domain.errors import ConflictError, UsageError
from holdfast.domain.keeping import Order
from holdfast.domain.policy import Target
from holdfast.domain.projections.summary import Summary
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.session import Session

DIRECTORY = Directory(
    {"acp": AcpTransport({}, lambda name: None)}, {"near": Target(command=("near-agent", "--fast"))}, home="/home/me"
)


def session(**summary: object) -> Session:
    return Session(StreamId("s"), 1, summary=replace(Summary(transport="acp"), **summary))


@pytest.mark.parametrize("words", [("agent", "http://there"), ("agent", "a\nb"), ("agent", "acp+ws://host", "")])
def test_a_command_is_the_list_that_was_given(words: tuple[str, ...]) -> None:
    assert DIRECTORY.known(session(target=shlex.join(words), command=words)).command == words
    assert DIRECTORY.known(session(target="anything", command=words)).command == words


@pytest.mark.parametrize("words", [("agent", "http://there"), ("agent", "a\nb"), ("agent", '{"u": "x://y"}')])
def test_a_session_of_before_commands_were_lists_is_still_understood(words: tuple[str, ...]) -> None:
    assert DIRECTORY.known(session(target=shlex.join(words))).command == words


def test_an_address_is_one_only_from_its_first_letter_on() -> None:
    assert DIRECTORY.known(session(target="acp+ws://host/agent")).address == "ws://host/agent"
    with pytest.raises(UsageError, match="is neither a name in"):
        DIRECTORY.ordered(Order(target="see acp+ws://host"))


@pytest.mark.parametrize("agent", [None, "claude"])
@pytest.mark.parametrize("name", ["far", "cc", "opencode", "it's"])
def test_a_name_that_is_not_in_the_configuration_any_more_is_not_taken_for_a_program(
    name: str, agent: str | None
) -> None:
    with pytest.raises(ConflictError, match=r"is not in config\.toml any more"):
        DIRECTORY.known(session(target=name, agent=agent))


@pytest.mark.parametrize(
    ("target", "agent", "command"),
    [
        ("claude-agent-acp", "claude", ("claude-agent-acp",)),
        ("opencode acp", "opencode", ("opencode", "acp")),
        ("/opt/agent", None, ("/opt/agent",)),
    ],
)
def test_an_agent_that_was_asked_for_by_name_is_started_as_it_was(
    target: str, agent: str | None, command: tuple[str, ...]
) -> None:
    assert DIRECTORY.known(session(target=target, agent=agent)).command == command


def test_the_demo_agent_is_found_wherever_it_lies_now() -> None:
    assert DIRECTORY.known(session(target="demo", agent="demo")).agent == "demo"


def test_a_transport_that_is_gone_contradicts_the_log_and_not_who_asks() -> None:
    with pytest.raises(ConflictError, match="there is no transport 'pigeon' here"):
        DIRECTORY.known(session(target="pigeon:loft", transport="pigeon"))


def test_a_name_means_what_the_configuration_says_now() -> None:
    assert DIRECTORY.known(session(target="near")).command == ("near-agent", "--fast")

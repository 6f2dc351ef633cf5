"""Which peer is meant: by an order, or by what the log says of a session that is to be connected again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdfast.domain.errors import ConflictError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.domain.keeping import KnownAgent, Order
    from holdfast.domain.policy import Target
    from holdfast.domain.projections.summary import Summary
    from holdfast.domain.session.session import Session
    from holdfast.domain.transport import Peer, Transport

IMPORT = "import"
"""What the log calls the transport of a session that nobody was ever connected to."""


class Directory:
    """Finds peers. Programs are started by the transport `programs`."""

    def __init__(
        self,
        transports: Mapping[str, Transport],
        targets: Mapping[str, Target] | None = None,
        *,
        programs: str = "acp",
        home: str = "/",
    ) -> None:
        """Know transports by name, and targets by the names that configuration gives them.

        `home` is where programs work that nobody gave a folder.
        """
        self.transports = transports
        self._targets = targets or {}
        self.programs = programs
        self._home = home

    def ordered(self, order: Order) -> Peer:
        """Return whom an order names.

        Raises:
            UsageError: Nobody, more than one, or somebody who is not known.
            CommandNotFoundError: An agent that is not installed.
        """
        named = [each for each in (order.target, order.agent, order.command) if each]
        if len(named) != 1:
            msg = "name one peer: a target, an agent or a command"
            raise UsageError(msg)
        if order.command:
            return self._program(order.command, None, order.cwd)
        if order.agent:
            return self._transport(self.programs).agent(order.agent, order.cwd or self._home)
        return self._target(order.target or "", order.cwd)

    def known(self, session: Session) -> Peer:
        """Return whom a session of the log is with.

        Raises:
            ConflictError: Its target is not known any more, or it was imported and cannot be continued.
        """
        try:
            return self._known(session)
        except UsageError as error:  # who asks did nothing wrong: what was there then is not there now
            raise ConflictError(str(error)) from error

    def _known(self, session: Session) -> Peer:
        summary = session.summary
        if summary.transport == IMPORT:
            return self._continued(session)
        if summary.command:
            return self._program(summary.command, summary.agent, summary.cwd)
        if summary.target in self._targets or self._by_address(summary.target) is not None:
            return self._target(summary.target, summary.cwd)
        if summary.transport == self.programs:
            return self._spelled_out(summary)
        return self._transport(summary.transport).peer(summary.target, summary.cwd)

    def agents(self) -> Sequence[KnownAgent]:
        """Return the agents that can be asked for by name."""
        return [] if self.programs not in self.transports else self._transport(self.programs).agents()

    def _program(self, command: tuple[str, ...], agent: str | None, cwd: str | None) -> Peer:
        return self._transport(self.programs).program(command, agent, cwd or self._home)

    def _spelled_out(self, summary: Summary) -> Peer:
        """Return the program that a target is the command line of.

        A single word that starts no known agent is none: it is a name that configuration gave somebody, and a program
        of that name would be somebody else.
        """
        try:
            words = tuple(shlex.split(summary.target))
        except ValueError:
            words = ()
        peer = self._program(words, summary.agent, summary.cwd)
        if peer.command != words:
            return peer  # built in
        if not words or (len(words) == 1 and "/" not in words[0] and self._program(words, None, None).agent is None):
            msg = f"{summary.target!r} is not in config.toml any more: put its [targets] back, or begin a new session"
            raise ConflictError(msg)
        return peer

    def _target(self, name: str, cwd: str | None) -> Peer:
        target = self._targets.get(name)
        if target is not None and target.command:
            peer = self._program(target.command, None, cwd or target.cwd)
            return replace(peer, target=name, environment=(*peer.environment, *target.env))
        uri = name if target is None else target.uri or ""
        found = self._by_address(uri)
        if found is None:
            schemes = ", ".join(sorted(f"{each}:" for one in self.transports.values() for each in one.schemes))
            msg = f"{name!r} is neither a name in config.toml nor an address that can be reached ({schemes})"
            if ":" not in name:
                msg += "; a daemon learns of new names by `holdfast restart`"
            raise UsageError(msg)
        peer = found.peer(uri, cwd if target is None else cwd or target.cwd)
        return replace(peer, target=name)

    def _by_address(self, uri: str) -> Transport | None:
        """Return the transport that takes an address; an address may well stand inside a command line."""
        scheme, colon, _ = uri.partition(":")
        return next((each for each in self.transports.values() if colon and scheme in each.schemes), None)

    def _transport(self, name: str) -> Transport:
        found = self.transports.get(name)
        if found is None:
            msg = f"there is no transport {name!r} here: install what brings it"
            raise UsageError(msg)
        return found

    def _continued(self, session: Session) -> Peer:
        source, cwd = session.summary.imported_from, session.summary.cwd
        if source is None or source not in {agent.name for agent in self.agents()}:
            msg = f"this session was imported from {source or 'elsewhere'}, and no agent is known that can continue it"
            raise ConflictError(msg)
        if cwd is None:
            msg = "this session was imported, and its transcript does not say in which folder it can be continued"
            raise ConflictError(msg)
        peer = self._transport(self.programs).agent(source, cwd)
        return replace(peer, continues=session.state.remote_id or session.id)

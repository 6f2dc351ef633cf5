"""What an agent says in the words of the domain: one kind of update after the other, into facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct, json

from holdfast.adapters.transports.acp.protocol.items import Naming
from holdfast.adapters.transports.acp.protocol.tools import ToolLog
from holdfast.adapters.transports.acp.protocol.wire import (
    Block,
    ConfigOption,
    Cost,
    OptionOffered,
    PermissionParams,
    Update,
    Usage,
    each,
    given,
    parsed,
)
from holdfast.domain.content import NOTHING
from holdfast.domain.session import events as e
from holdfast.domain.session.state import Offering

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.adapters.transports.acp.protocol.items import Speech
    from holdfast.adapters.transports.acp.protocol.pieces import PieceUpdate
    from holdfast.domain.session.facts import Fact

STATE: Final = frozenset(
    {
        "available_commands_update",
        "current_mode_update",
        "config_option_update",
        "session_info_update",
        "usage_update",
    }
)
"""Updates about the session as a whole, which come at any time. All others add to the conversation."""


LABEL: Final = 200
"""Characters of a peer's word for something that nobody knows."""


class Known(Struct):
    """What the session last said of itself, so that only changes become facts."""

    options: dict[str, str] = {}
    mode: str | None = None
    title: str | None = None
    offers: dict[Offering, str] = {}
    usage: e.UsageReported | None = None


class Translator:
    """Turns what an agent says into facts. It keeps what it needs to name items and to leave out repetitions."""

    def __init__(self, naming: Naming | None = None, known: Known | None = None) -> None:
        self.naming = Naming() if naming is None else naming
        self.known = Known({}) if known is None else known
        self._tools = ToolLog()

    def start_turn(self, turn_id: str, prompt_id: str | None) -> None:
        """Name what follows after this turn."""
        self.naming.after(e.TurnStarted(turn_id, prompt_id))
        self._tools.clear()

    def history(self, update: Update, raw: Raw) -> list[Fact]:
        """Return what an update adds to the conversation."""
        facts = list(self._history(update, raw))
        for fact in facts:
            self.naming.after(fact)
        return facts

    def spoke(self, update: PieceUpdate) -> tuple[Fact, ...]:
        """Return what a piece of text adds to the conversation: what `history` says of it."""
        kind: Speech = "m" if update.session_update == "agent_message_chunk" else "h"
        facts = self._text(kind, update.content.text, update.message_id)
        for fact in facts:
            self.naming.after(fact)
        return facts

    def _history(self, update: Update, raw: Raw) -> Iterable[Fact]:
        match update.session_update:
            case "agent_message_chunk":
                return self._speech("m", update, raw)
            case "agent_thought_chunk":
                return self._speech("h", update, raw)
            case "user_message_chunk" if given(update.content):
                return (e.MessageSent(self.naming.next(), _list_of(update.content)),)
            case "tool_call" | "tool_call_update" if update.tool_call_id:
                return self._tool(update, announced=update.session_update == "tool_call")
            case "plan" if update.entries:
                return (e.PlanChanged(self.naming.plan(), update.entries.copy()),)
            case kind:
                return (self.unknown(kind or "session/update", raw),)

    def _speech(self, kind: Speech, update: Update, raw: Raw) -> Iterable[Fact]:
        block = parsed(Block, update.content)
        if block is None:
            return (self.unknown(update.session_update, raw),)
        if block.type == "text" and block.text is not None:
            return self._text(kind, block.text, update.message_id)
        if kind == "m":
            return (e.MessageReceived(self.naming.next(), _list_of(update.content)),)
        return (self.unknown(update.session_update, raw),)

    def _text(self, kind: Speech, text: str, message_id: str | None) -> tuple[Fact, ...]:
        if not text:
            return ()  # some agents open every message with an empty piece
        item_id = self.naming.speech(kind, message_id)
        return (e.TextAppended(item_id, text) if kind == "m" else e.ThoughtAppended(item_id, text),)

    def _tool(self, update: Update, *, announced: bool) -> Iterable[Fact]:
        call_id = update.tool_call_id or ""
        item_id = self.naming.tool(call_id, announced=announced)
        # Some agents never announce a use: what is said of it first does.
        news = self._tools.news(item_id, update, announced=announced or not self.naming.knows(call_id, item_id))
        return () if news is None else (news,)

    def permission(self, request_id: str, turn_id: str | None, verbatim: Raw, params: Raw) -> list[Fact] | None:
        """Return what an agent's question becomes; None for one that cannot be understood.

        A tool that the agent has not announced is announced by its question: some agents never do it otherwise.
        """
        asked = parsed(PermissionParams, params)
        tool = None if asked is None else parsed(Update, asked.tool_call)
        if asked is None or tool is None:
            return None
        facts: list[Fact] = []
        item_id = None
        if tool.tool_call_id:
            item_id = self.naming.tool(tool.tool_call_id, announced=False)
            if not self.naming.knows(tool.tool_call_id, item_id):
                facts += self._tool(tool, announced=True)
        arguments = given(tool.raw_input)
        if not arguments or bytes(arguments) == b"{}":
            arguments = asked.tool_call.copy()
        title = tool.title or tool.kind or tool.tool_call_id or "permission"
        options = tuple(
            e.Option(option.option_id, option.kind, option.name) for option in each(OptionOffered, asked.options)
        )
        facts.append(
            e.PermissionRequested(
                request_id,
                turn_id,
                title,
                arguments,
                options,
                e.arguments_hash(title, arguments),
                item_id,
                verbatim.copy(),
            )
        )
        for fact in facts:
            self.naming.after(fact)
        return facts

    def state(self, update: Update, raw: Raw) -> list[Fact]:
        """Return what an update changes about the session as a whole."""
        match update.session_update:
            case "available_commands_update" if update.available_commands:
                return self._commands(update.available_commands)
            case "current_mode_update" if update.current_mode_id is not None:
                return self.mode(update.current_mode_id)
            case "config_option_update" if update.config_options:
                return self.options(update.config_options)
            case "session_info_update":
                return self._info(update.title)
            case "usage_update":
                return self._context(update)
            case kind:
                fact = self.unknown(kind or "session/update", raw)
                self.naming.after(fact)
                return [fact]

    def _commands(self, commands: Raw) -> list[Fact]:
        return [e.CommandsChanged(commands.copy())] if self._is_news("commands", commands) else []

    def _is_news(self, kind: Offering, offer: Raw) -> bool:
        """Return whether an offer is another than the last of its kind, which agents repeat at every start."""
        digest = e.offer_digest(offer)
        if self.known.offers.get(kind) == digest:
            return False
        self.known.offers[kind] = digest
        return True

    def offers(self, config_options: Raw, modes: Raw = NOTHING) -> list[Fact]:
        """Return what it means that the agent offers these options and, in the older form, these modes."""
        facts: list[Fact] = []
        if modes and self._is_news("modes", modes):
            facts.append(e.ModesOffered(modes.copy()))
        options = _without_values(config_options)
        if options and self._is_news("options", options):
            facts.append(e.OptionsOffered(options))
        return facts

    def mode(self, mode: str) -> list[Fact]:
        """Return what it means that the agent works in this mode."""
        if mode == self.known.mode:
            return []
        self.known.mode = mode
        return [e.ModeChanged(mode)]

    def options(self, config_options: Raw) -> list[Fact]:
        """Return what it means that the agent has these options, with these values."""
        options = each(ConfigOption, config_options)
        values = {option.id: value_of(option) for option in options if option.current_value}
        changed = {name: value for name, value in values.items() if self.known.options.get(name) != value}
        self.known.options |= changed
        facts = self.offers(config_options)
        if changed:
            facts.append(e.SessionConfigured(changed))
        for option in options:
            if option.category == "mode" and option.id in values:
                facts += self.mode(values[option.id])
        return facts

    def _info(self, title: str | None) -> list[Fact]:
        if not title or title == self.known.title:
            return []
        self.known.title = title
        return [e.InfoChanged(title)]

    def _context(self, update: Update) -> list[Fact]:
        cost = parsed(Cost, update.cost)
        usage = e.UsageReported(
            "context",
            context_used=update.used,
            context_size=update.size,
            cost=None if cost is None else f"{cost.amount} {cost.currency}".strip(),
        )
        if usage == self.known.usage:
            return []
        self.known.usage = usage
        return [usage]

    def unknown(self, label: str, raw: Raw) -> e.RawReceived:
        """Return the fact that keeps what no other fact describes."""
        return e.RawReceived(self.naming.next(), label[:LABEL], raw.copy())


def usage_of(turn_id: str, raw: Raw) -> list[Fact]:
    """Return the tokens of a turn, where the agent counts any."""
    usage = parsed(Usage, raw)
    if usage is None:
        return []
    report = e.UsageReported(
        "message",
        turn_id,
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cached_write_tokens or 0,
        usage.cached_read_tokens or 0,
    )
    return [report] if report.total else []


def value_of(option: ConfigOption) -> str:
    """Return the value of an option as text; one that is no text as the JSON it is."""
    value = parsed(str, option.current_value)
    return bytes(option.current_value).decode("utf-8", "replace") if value is None else value


def _without_values(config_options: Raw) -> Raw:
    """Return options as they are offered: which values they have stands in other facts, and changes more often."""
    options = each(dict[str, Raw], config_options)
    for option in options:
        option.pop("currentValue", None)
    return Raw(json.encode(options)) if options else NOTHING


def as_text(data: bytes) -> Raw:
    """Return bytes that are no JSON as a JSON text."""
    return Raw(json.encode(data.decode("utf-8", "replace")))


def _list_of(block: Raw) -> Raw:
    return Raw(b"[" + bytes(block) + b"]")

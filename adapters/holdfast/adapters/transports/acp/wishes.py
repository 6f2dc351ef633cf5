"""What a person wants of an agent beside an answer: another mode, another value of an option. Asked in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.transports.acp.protocol import requests
from holdfast.adapters.transports.acp.protocol.connection import IN_PASSING
from holdfast.adapters.transports.acp.protocol.results import explained
from holdfast.domain.transport import Heard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.transports.acp.protocol.connection import Answered
    from holdfast.adapters.transports.acp.protocol.link import Delivery, Link
    from holdfast.adapters.transports.acp.protocol.requests import Call
    from holdfast.adapters.transports.acp.protocol.session import Conversation
    from holdfast.domain.recorded import StreamId
    from holdfast.domain.transport import Wish, Write

_AGAIN = ":2"


class Wishes:
    """The wishes that an agent has not answered yet. Where one way of asking is refused, the other is tried."""

    def __init__(self, link: Link) -> None:
        """Ask by `link`."""
        self._link = link
        self._open: dict[str, tuple[Conversation, Call | None]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._open

    def ask(self, conversation: Conversation, key: str, wish: Wish) -> Sequence[Write]:
        """Return the request for what a person wants; its answer is for `answered`."""
        remote = conversation.remote_id or ""
        if wish.kind == "option":
            as_text = requests.set_config_option(remote, wish.option, wish.value)
            if wish.value not in ("true", "false"):
                return [self._ask(conversation, key, as_text)]
            # Whether the option is a switch is not known after a restart: agents refuse the wrong kind.
            as_switch = requests.set_config_option(remote, wish.option, wish.value == "true")
            return [self._ask(conversation, key, as_switch, otherwise=as_text)]
        # Modes are being replaced by options of that category; which an agent has is not always known after a restart.
        by_option = next((name for name, each in conversation.found.options.items() if each.category == "mode"), None)
        option = by_option or ("mode" if "mode" in conversation.known.options else None)
        as_mode = requests.set_mode(remote, wish.value)
        if option is None:
            return [self._ask(conversation, key, as_mode)]
        as_option = requests.set_config_option(remote, option, wish.value)
        return [self._ask(conversation, key, as_option, otherwise=as_mode)]

    def answered(self, session_id: StreamId | None, delivery: Delivery, answered: Answered) -> Heard:
        """Return what follows from an answer to one of them."""
        conversation, otherwise = self._open.pop(answered.key)
        if answered.error is not None and otherwise is not None:
            again = f"{answered.key.removeprefix(IN_PASSING)}{_AGAIN}"
            return Heard(writes=(self._ask(conversation, again, otherwise),))
        key = answered.key.removeprefix(IN_PASSING).removesuffix(_AGAIN)
        if answered.error is not None:
            return Heard(session_id, delivery.facts, answered.source, refused=(key, explained(answered.error)))
        return Heard(session_id, delivery.facts, answered.source, granted=key)

    def _ask(self, conversation: Conversation, key: str, call: Call, *, otherwise: Call | None = None) -> Write:
        asked = f"{IN_PASSING}{key}"
        self._open[asked] = (conversation, otherwise)
        return self._link.ask(conversation, asked, call)

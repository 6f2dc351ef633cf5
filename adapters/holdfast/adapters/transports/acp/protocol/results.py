"""What an agent answers: its capabilities, the sessions it opened or has. Missing and null are the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct

from holdfast.adapters.transports.acp.protocol.connection import AUTH_REQUIRED, NOT_FOUND
from holdfast.adapters.transports.acp.protocol.requests import PROTOCOL_VERSION
from holdfast.adapters.transports.acp.protocol.translate import value_of
from holdfast.adapters.transports.acp.protocol.wire import ConfigOption, Mode, Models, Modes, each, given, parsed
from holdfast.domain.content import NOTHING
from holdfast.domain.errors import AgentError

if TYPE_CHECKING:
    from holdfast.adapters.transports.acp.protocol.envelope import RpcError

_TAKE_UP: Final = ("session/load", "session/resume")
_GONE: Final = re.compile(
    r"\b(session|conversation|resource|thread|rollout)s?\b.{0,80}"
    r"\b(not (be )?found|no longer|does(n't| not) exist|expired)"
    r"|\b(no such|unknown|no previous|no rollout found for|no) (session|conversation|thread)s?\b",
    re.IGNORECASE,
)


class InitializeRefusedError(AgentError):
    """The agent does not want to, or cannot, talk to us."""


class AuthenticationRequiredError(AgentError):
    """The agent wants its user to sign in first."""


class SessionGoneError(AgentError):
    """The agent does not have the session that it is to take up."""


class Capabilities(Struct, frozen=True):
    """What an agent can do.

    Attributes:
        name: What it calls itself.
        version: Its version.
        load: It can take a session up and repeat its history.
        resume: It can take a session up without that.
        fork, list, close: It understands these requests.
        image, audio, embedded_context: What a prompt may hold beside text and links.
        auth_methods: The ways to sign in, by their ids, with what they are called.
        verbatim: All it said of its capabilities.
    """

    name: str = ""
    version: str = ""
    load: bool = False
    resume: bool = False
    fork: bool = False
    list: bool = False
    close: bool = False
    image: bool = False
    audio: bool = False
    embedded_context: bool = False
    auth_methods: tuple[tuple[str, str], ...] = ()
    verbatim: Raw = NOTHING


class Opened(Struct, frozen=True):
    """What an agent says of a session it opened. `session_id` is None where it was named by us."""

    session_id: str | None = None
    options: dict[str, ConfigOption] = {}
    config_options: Raw = NOTHING
    mode: str | None = None
    modes: tuple[str, ...] = ()
    model: str | None = None
    offered_modes: Raw = NOTHING

    @property
    def values(self) -> dict[str, str]:
        """The options with the values they have."""
        return {name: value_of(option) for name, option in self.options.items() if option.current_value}


class Listed(Struct, frozen=True, rename="camel"):
    """A session that an agent has."""

    session_id: str
    cwd: str | None = None
    title: str | None = None
    updated_at: str | None = None


class _Info(Struct):
    name: str | None = None
    version: str | None = None


class _SessionCapabilities(Struct):
    fork: Raw = NOTHING
    list: Raw = NOTHING
    resume: Raw = NOTHING
    close: Raw = NOTHING


class _PromptCapabilities(Struct, rename="camel"):
    image: bool = False
    audio: bool = False
    embedded_context: bool = False


class _AgentCapabilities(Struct, rename="camel"):
    load_session: bool = False
    prompt_capabilities: Raw = NOTHING
    session_capabilities: Raw = NOTHING


class _AuthMethod(Struct):
    id: str
    name: str = ""


class _Initialized(Struct, rename="camel"):
    protocol_version: Raw = NOTHING
    agent_capabilities: Raw = NOTHING
    agent_info: Raw = NOTHING
    auth_methods: Raw = NOTHING


class _Opened(Struct, rename="camel"):
    session_id: str | None = None
    config_options: Raw = NOTHING
    modes: Raw = NOTHING
    models: Raw = NOTHING


class _List(Struct, rename="camel"):
    sessions: Raw = NOTHING
    next_cursor: str | None = None


def initialized(result: Raw, error: RpcError | None = None) -> Capabilities:
    """Return what the agent can do, by its answer to `initialize`.

    Raises:
        InitializeRefusedError: It answers with an error, with no protocol version, or with another one.
        AuthenticationRequiredError: It wants its user to sign in before anything else.
    """
    refused_if(error, "initialize")
    answer = parsed(_Initialized, result)
    version = None if answer is None else parsed(int, answer.protocol_version)
    if answer is None or version is None:
        msg = "the agent's answer to initialize names no protocol version: is it an ACP agent?"
        raise InitializeRefusedError(msg)
    if version != PROTOCOL_VERSION:
        msg = f"the agent speaks version {version} of the protocol, not {PROTOCOL_VERSION}; try another version of it"
        raise InitializeRefusedError(msg)
    can = parsed(_AgentCapabilities, answer.agent_capabilities) or _AgentCapabilities()
    session = parsed(_SessionCapabilities, can.session_capabilities) or _SessionCapabilities()
    content = parsed(_PromptCapabilities, can.prompt_capabilities) or _PromptCapabilities()
    info = parsed(_Info, answer.agent_info) or _Info()
    return Capabilities(
        name=info.name or "",
        version=info.version or "",
        load=can.load_session,
        resume=_offered(session.resume),
        fork=_offered(session.fork),
        list=_offered(session.list),
        close=_offered(session.close),
        image=content.image,
        audio=content.audio,
        embedded_context=content.embedded_context,
        auth_methods=tuple((method.id, method.name) for method in each(_AuthMethod, answer.auth_methods)),
        verbatim=given(answer.agent_capabilities),
    )


def refused_if(error: RpcError | None, what: str) -> None:
    """Raise what an answer with an error means.

    Raises:
        AuthenticationRequiredError: The agent's user has to sign in.
        InitializeRefusedError: Anything else, for `initialize`.
        SessionGoneError: The agent does not have the session that it is to take up.
        AgentError: Anything else.
    """
    if error is None:
        return
    if error.code == AUTH_REQUIRED:
        msg = f"the agent wants you to sign in ({error.message or 'authentication required'}); do so in its own program"
        raise AuthenticationRequiredError(msg)
    msg = f"the agent refused {what}: {explained(error)}"
    if what == "initialize":
        raise InitializeRefusedError(msg)
    raise SessionGoneError(msg) if what in _TAKE_UP and _says_gone(error) else AgentError(msg)


def _says_gone(error: RpcError) -> bool:
    """Return whether an agent says that there is no such session: few of them use the code that is there for it."""
    return error.code == NOT_FOUND or _GONE.search(explained(error)) is not None


class _Details(Struct):
    details: str = ""
    message: str = ""
    error: str = ""


def explained(error: RpcError) -> str:
    """Return an error in one line of at most 1,000 characters: its message, and the details where agents hide them."""
    data = parsed(_Details, error.data)
    hidden = (data.details or data.message or data.error) if data is not None else parsed(str, error.data) or ""
    parts = [error.message, hidden if hidden != error.message else "", f"({error.code})" if error.code else ""]
    return " ".join(" ".join(parts).split())[:1000] or "no reason given"


def opened(result: Raw) -> Opened:
    """Return what the agent says of a session that it began, loaded, resumed or forked; it may say nothing."""
    answer = parsed(_Opened, result) or _Opened()
    options = {option.id: option for option in each(ConfigOption, answer.config_options)}
    modes = parsed(Modes, answer.modes) or Modes()
    models = parsed(Models, answer.models) or Models()
    available = each(Mode, modes.available_modes)
    by_category = {option.category: option for option in options.values() if option.current_value}
    mode, model = by_category.get("mode"), by_category.get("model")
    return Opened(
        answer.session_id or None,
        options,
        given(answer.config_options),
        modes.current_mode_id if mode is None else value_of(mode),
        tuple(each_mode.id for each_mode in available),
        models.current_model_id if model is None else value_of(model),
        given(modes.available_modes),
    )


def listed(result: Raw) -> tuple[list[Listed], str | None]:
    """Return the sessions of one page, and the cursor of the next."""
    answer = parsed(_List, result) or _List()
    return each(Listed, answer.sessions), answer.next_cursor


def _offered(raw: Raw) -> bool:
    return bool(raw) and bytes(raw) not in (b"null", b"false")

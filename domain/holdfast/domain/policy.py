"""How each kind of peer is kept connected: values that configuration can override, and the arithmetic on them.

No clock and no dice here: whoever waits passes in what has elapsed, and where randomness comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf
from typing import Literal, TypeGuard

import msgspec
from msgspec import Struct

from holdfast.domain.errors import ConflictError, SettingsError

Random = Callable[[], float]
"""Gives a number from 0 up to, but not including, 1."""


class _Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """A group of settings; a misspelt one is an error."""


class ReconnectPolicy(_Policy, frozen=True):
    """When to try again after a connection was lost. The first limit that is reached ends the attempts.

    Attributes:
        base_s: Delay at exponent 0.
        factor: Growth from one attempt to the next.
        cap_s: No delay is longer, before jitter.
        jitter_s: How far a delay may be off: seconds, or for `proportional` a share of the delay.
        jitter_kind: `additive` adds up to `jitter_s`; `proportional` takes away or adds up to that share.
        first_exponent: Exponent of the first attempt: 0 waits `base_s`, 1 waits `base_s * factor`.
        max_attempts: Attempts before giving up; None: no limit.
        max_window_s: Time since the loss after which no attempt starts; None: no limit.
        reset_on: What sets the attempts back to 0. Never the open socket: some servers open it only to refuse.
        terminal: Reasons, in the adapter's words, after which no attempt is made at all.
        restart: `demand`: an agent that died after it was ready is started by the next prompt, not by time.
        idempotent_only: Only requests that change nothing are tried again.
    """

    base_s: float = 1.0
    factor: float = 2.0
    cap_s: float = 30.0
    jitter_s: float = 0.0
    jitter_kind: Literal["none", "additive", "proportional"] = "none"
    first_exponent: int = 0
    max_attempts: int | None = None
    max_window_s: float | None = None
    reset_on: Literal["ready"] = "ready"
    terminal: tuple[str, ...] = ()
    restart: Literal["timer", "demand"] = "timer"
    idempotent_only: bool = False


def delay(
    policy: ReconnectPolicy,
    attempt: int,
    random: Random,
    *,
    elapsed_s: float = 0.0,
    retry_after_s: float = 0.0,
) -> float | None:
    """Return how many seconds to wait before an attempt; None: give up.

    Args:
        policy: The rules.
        attempt: 1 for the first since the peer was last ready.
        random: Where jitter comes from.
        elapsed_s: Time since the connection was lost.
        retry_after_s: What the server asked for; no attempt is earlier.
    """
    if policy.max_attempts is not None and attempt > policy.max_attempts:
        return None
    if policy.max_window_s is not None and elapsed_s >= policy.max_window_s:
        return None
    try:
        wait = min(policy.base_s * policy.factor ** (policy.first_exponent + attempt - 1), policy.cap_s)
    except OverflowError:
        wait = policy.cap_s
    if policy.jitter_kind == "additive":
        wait += policy.jitter_s * random()
    elif policy.jitter_kind == "proportional":
        wait *= 1 + policy.jitter_s * (2 * random() - 1)
    return max(wait, retry_after_s, 0.0)


class ReadyPolicy(_Policy, frozen=True):
    """What counts as being connected.

    Attributes:
        when: The adapter's word for it.
        settle_s: For `open`: how long the connection must stay open without a frame.
    """

    when: str
    settle_s: float = 0.0


class HeartbeatPolicy(_Policy, frozen=True):
    """How a dead connection is noticed.

    Attributes:
        kind: What is sent.
        interval_s: How often, 0 for never.
        background_interval_s: How often while nobody looks; None: as often.
        timeout_rtts: A reply is late after this many round trips,
        timeout_min_s: but not earlier,
        timeout_max_s: and not later.
        attached_only: Only while the session is attached.
    """

    kind: Literal["none", "ws-ping", "xmpp-ping", "http-post"] = "none"
    interval_s: float = 0.0
    background_interval_s: float | None = None
    timeout_rtts: float = 10.0
    timeout_min_s: float = 10.0
    timeout_max_s: float = 30.0
    attached_only: bool = False

    def interval(self, *, foreground: bool) -> float:
        """Return the seconds between two heartbeats."""
        if foreground or self.background_interval_s is None:
            return self.interval_s
        return self.background_interval_s

    def timeout(self, rtt_s: float) -> float:
        """Return the seconds after which a reply is late, from the last round trip."""
        return min(max(self.timeout_rtts * rtt_s, self.timeout_min_s), self.timeout_max_s)


class QueuePolicy(_Policy, frozen=True):
    """What happens to what a person sends while the peer cannot be reached.

    Attributes:
        when_down: `reject` refuses it at once; `queue` keeps it in the log.
        max_items: How many may wait; None: no limit.
        ttl_s: How long one may wait; None: for ever.
        until: `sent`: it waits until it was handed over; `acked`: until the peer has confirmed it.
    """

    when_down: Literal["reject", "queue"] = "reject"
    max_items: int | None = None
    ttl_s: float | None = None
    until: Literal["sent", "acked"] = "sent"

    def accepts(self, waiting: int) -> bool:
        """Return whether one more may wait beside those that do."""
        return self.when_down == "queue" and (self.max_items is None or waiting < self.max_items)

    def expired(self, waited_s: float) -> bool:
        """Return whether something that waited this long is not to be sent any more."""
        return self.ttl_s is not None and waited_s >= self.ttl_s


class LivePolicy(_Policy, frozen=True):
    """How many sessions may be connected at once.

    Attributes:
        cap: The limit; None: none.
        per: What the limit counts over.
        full: At the limit, `evict` disconnects the one that was idle longest, `replace` the one there is.
    """

    cap: int | None = None
    per: Literal["transport", "account", "focus", "client"] = "transport"
    full: Literal["evict", "replace"] = "evict"


class Live(Struct, frozen=True):
    """A connected session: when it last did anything, and whether it must stay (focused, streaming or waited for)."""

    id: str
    last_active: float
    busy: bool = False


def victim(policy: LivePolicy, live: Sequence[Live], joining: str) -> str | None:
    """Return which session makes room for `joining`; None: there is room, or it is connected already.

    Raises:
        ConflictError: The limit is reached, and every session must stay.
    """
    if policy.cap is None or len(live) < policy.cap or any(each.id == joining for each in live):
        return None
    idle = [each for each in live if policy.full == "replace" or not each.busy]
    if not idle:
        msg = "Maximum concurrent connections reached, and every one is in use: end one, or raise `cap` in config.toml"
        raise ConflictError(msg)
    return min(idle, key=lambda each: each.last_active).id


class NetworkPolicy(_Policy, frozen=True):
    """What a lost network means: go on trying, or pause, and after its return wait this many seconds."""

    on_loss: Literal["continue", "pause"] = "continue"
    retry_after_return_s: float = 5.0


Missing = Literal["error", "ask", "new-draft", "recreate-once"]


class TransportPolicy(_Policy, frozen=True):
    """Everything that differs from one kind of peer to another.

    Attributes:
        create: When a new session comes into being at the peer.
        backfill: Where what was missed comes from.
        missing: What to do when the peer does not know the session any more: `error` says so, `ask` says what a person
            can do as well, `new-draft` forgets the peer's name of it, `recreate-once` begins another one there and says
            that it did.
    """

    reconnect: ReconnectPolicy = ReconnectPolicy()
    ready: ReadyPolicy = ReadyPolicy("open")
    heartbeat: HeartbeatPolicy = HeartbeatPolicy()
    queue: QueuePolicy = QueuePolicy()
    create: Literal["eager", "on_connect", "on_first_send", "on_attach", "never"] = "eager"
    live: LivePolicy = LivePolicy()
    network: NetworkPolicy = NetworkPolicy()
    backfill: Literal["none", "pending-requests", "archive", "transcript", "conversation"] = "none"
    missing: Missing = "error"


class AgentPolicy(_Policy, frozen=True):
    """Limits of agents that run as processes. Where 0 is allowed, it switches the limit off.

    Attributes:
        hibernate_after_s: An agent that was idle this long is stopped until it is needed; 0: never.
        initialize_timeout_s: It must have said what it can do by then.
        prompt_watchdog_s: A turn without a sign for this long is cancelled, then the agent stopped; 0: never.
        abandon_after_s: A host that no daemon asked for this long stops its agent; 0: never.
        frame_limit_bytes: A longer message fails the session.
        env: Names of environment variables that agents get beside the usual ones.
    """

    hibernate_after_s: float = 1800.0
    initialize_timeout_s: float = 60.0
    prompt_watchdog_s: float = 0.0
    abandon_after_s: float = 86_400.0
    frame_limit_bytes: int = 16 * 1024 * 1024
    env: tuple[str, ...] = ()


class Target(_Policy, frozen=True):
    """A peer to which configuration gives a name: a program or an address, one of the two.

    Attributes:
        command: The argument list of a program.
        uri: An address.
        cwd: The folder of sessions that name none.
        env: Names of environment variables that the program gets beside the usual ones.
    """

    command: tuple[str, ...] | None = None
    uri: str | None = None
    cwd: str | None = None
    env: tuple[str, ...] = ()


def due(after_s: float, elapsed_s: float) -> bool:
    """Return whether a limit that 0 switches off has been reached."""
    return after_s > 0 and elapsed_s >= after_s


def overridden(policy: TransportPolicy, overrides: Mapping[str, object]) -> TransportPolicy:
    """Return `policy` with the cells replaced that `overrides` names, such as `{"reconnect": {"cap_s": 60}}`.

    A limit that is `inf` is lifted.

    Raises:
        SettingsError: A cell does not exist, or its value is of another kind.
    """
    try:
        return msgspec.convert(_merged(msgspec.to_builtins(policy), overrides), TransportPolicy)
    except msgspec.ValidationError as error:
        msg = f"a setting of the transport is not valid: {error}"
        raise SettingsError(msg) from error


GENERAL = frozenset(
    {
        *(f"reconnect.{name}" for name in ReconnectPolicy.__struct_fields__ if name != "idempotent_only"),
        "ready.settle_s",
        "ready.when=open",
        "heartbeat.interval_s",
        "heartbeat.kind=none",
        "queue.when_down",
        "queue.max_items",
        "queue.ttl_s",
        "create=eager",
        "create=on_connect",
        "create=on_first_send",
        "create=on_attach",
        "live.cap",
        "live.full",
        "network.on_loss",
        "network.retry_after_return_s",
    }
)
"""Cells, and single values of cells, that hold for every kind of peer. All others are for its transport to heed."""


def unheeded(shipped: TransportPolicy, wanted: TransportPolicy, heeds: Collection[str]) -> list[str]:
    """Return the cells of `wanted`, with their values, that nobody would go by.

    A value that is shipped is heeded. What is set and does nothing would be believed.

    Args:
        shipped: What the transport brings.
        wanted: What is configured.
        heeds: What the transport goes by itself.
    """
    before, after = _cells(shipped), _cells(wanted)
    known = GENERAL | frozenset(heeds)
    changed = {cell: value for cell, value in after.items() if value != before[cell]}
    return [f"{cell} = {value!r}" for cell, value in changed.items() if not {cell, f"{cell}={value}"} & known]


def _cells(policy: TransportPolicy) -> dict[str, object]:
    cells: dict[str, object] = {}
    for name, value in msgspec.structs.asdict(policy).items():
        if isinstance(value, Struct):
            cells |= {f"{name}.{each}": cell for each, cell in msgspec.structs.asdict(value).items()}
        else:
            cells[name] = value
    return cells


def _merged(values: Mapping[str, object], overrides: Mapping[str, object]) -> dict[str, object]:
    merged = dict(values)
    for name, value in overrides.items():
        before = merged.get(name)
        if _is_group(before) and _is_group(value):
            merged[name] = _merged(before, value)
        else:
            merged[name] = None if value == inf else value  # how a file without null says that there is no limit
    return merged


def _is_group(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)

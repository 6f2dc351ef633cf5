"""The policies we ship, one for each kind of peer. Configuration can override every cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.domain.policy import (
    HeartbeatPolicy,
    LivePolicy,
    NetworkPolicy,
    QueuePolicy,
    ReadyPolicy,
    ReconnectPolicy,
    TransportPolicy,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_WS_PING = HeartbeatPolicy("ws-ping", 20.0)

DEFAULTS: Mapping[str, TransportPolicy] = {
    "rooms": TransportPolicy(
        reconnect=ReconnectPolicy(
            jitter_s=1.0,
            jitter_kind="additive",
            max_attempts=0,
            terminal=(
                "INVALID_ROOM_ID",
                "INVALID_USERNAME",
                "INVALID_PASSCODE_FORMAT",
                "ROOM_NOT_FOUND",
                "INVALID_PASSCODE",
                "DUPLICATE_USERNAME",
                "ROOM_FULL",
            ),
        ),
        ready=ReadyPolicy("joined"),
        heartbeat=_WS_PING,
        create="on_connect",
        live=LivePolicy(1, full="replace"),
    ),
    "aperture": TransportPolicy(
        reconnect=ReconnectPolicy(
            jitter_s=1.0,
            jitter_kind="additive",
            first_exponent=1,
            terminal=("not-found", "unauthorized", "session-exit", "policy-violation"),
        ),
        ready=ReadyPolicy("open", settle_s=1.0),
        heartbeat=_WS_PING,
        live=LivePolicy(10),
        backfill="pending-requests",
        missing="ask",
    ),
    "acp": TransportPolicy(
        reconnect=ReconnectPolicy(
            jitter_s=1.0,
            jitter_kind="additive",
            first_exponent=1,
            terminal=(
                "command-not-found",
                "initialize-timeout",
                "initialize-refused",
                "authentication-required",
            ),
            restart="demand",
        ),
        ready=ReadyPolicy("session-opened"),
        heartbeat=_WS_PING,
        queue=QueuePolicy("queue"),
        missing="ask",
    ),
    "xmpp": TransportPolicy(
        reconnect=ReconnectPolicy(
            base_s=5.0,
            cap_s=300.0,
            jitter_s=0.2,
            jitter_kind="proportional",
            max_window_s=86_400.0,
            terminal=("not-authorized", "conflict", "host-unknown", "policy-violation"),
        ),
        ready=ReadyPolicy("bound"),
        heartbeat=HeartbeatPolicy("xmpp-ping", 30.0, 300.0),
        queue=QueuePolicy("queue", until="acked"),
        create="never",
        live=LivePolicy(1, "account"),
        network=NetworkPolicy("pause"),
        backfill="archive",
    ),
    "agentflow": TransportPolicy(
        reconnect=ReconnectPolicy(
            cap_s=16.0,
            max_attempts=5,
            terminal=("authentication-required", "session-not-found", "unauthorized", "invalid-token"),
        ),
        ready=ReadyPolicy("connected"),
        heartbeat=_WS_PING,
        queue=QueuePolicy("queue", 100),
        create="on_first_send",
        live=LivePolicy(1, "focus", "replace"),
        backfill="transcript",
        missing="new-draft",
    ),
    "faultmaven": TransportPolicy(
        reconnect=ReconnectPolicy(
            cap_s=8.0,
            jitter_s=0.5,
            jitter_kind="additive",
            max_attempts=3,
            terminal=("unauthorized", "forbidden", "unprocessable"),
            idempotent_only=True,
        ),
        ready=ReadyPolicy("session-id"),
        heartbeat=HeartbeatPolicy("http-post", 30.0, attached_only=True),
        create="on_attach",
        live=LivePolicy(1, "client", "replace"),
        backfill="conversation",
        missing="recreate-once",
    ),
}
"""What we ship, by the name of the transport."""

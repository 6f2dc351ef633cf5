"""Each row of the table as it is on the wire, and the promise that every cell can be changed."""

from __future__ import annotations

from math import inf, nextafter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.errors import ConflictError, SettingsError
from holdfast.domain.policy import (
    AgentPolicy,
    Live,
    LivePolicy,
    QueuePolicy,
    ReconnectPolicy,
    TransportPolicy,
    delay,
    due,
    overridden,
    victim,
)
from holdfast.domain.policy_table import DEFAULTS

ALMOST_ONE = nextafter(1.0, 0.0)


def never() -> float:
    return 0.0


def always() -> float:
    return ALMOST_ONE


@pytest.mark.parametrize(
    ("transport", "least", "most"),
    [
        ("rooms", [None], [None]),
        ("aperture", [2, 4, 8, 16, 30, 30], [3, 5, 9, 17, 31, 31]),
        ("acp", [2, 4, 8, 16, 30, 30], [3, 5, 9, 17, 31, 31]),
        ("xmpp", [4, 8, 16, 32, 64, 128, 240, 240], [6, 12, 24, 48, 96, 192, 360, 360]),
        ("agentflow", [1, 2, 4, 8, 16, None], [1, 2, 4, 8, 16, None]),
        ("faultmaven", [1, 2, 4, None], [1.5, 2.5, 4.5, None]),
    ],
)
def test_the_delays_of_each_transport(transport: str, least: list[float | None], most: list[float | None]) -> None:
    policy = DEFAULTS[transport].reconnect

    assert [delay(policy, attempt, never) for attempt in range(1, len(least) + 1)] == least
    assert [delay(policy, attempt, always) for attempt in range(1, len(most) + 1)] == [
        value if value is None else pytest.approx(value) for value in most
    ]


def test_rooms_back_off_once_they_are_told_to() -> None:
    policy = overridden(DEFAULTS["rooms"], {"reconnect": {"max_attempts": inf}}).reconnect

    assert [delay(policy, attempt, never) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


@given(st.sampled_from(sorted(DEFAULTS)), st.integers(1, 10**9), st.floats(0, ALMOST_ONE))
def test_no_attempt_waits_longer_than_cap_and_jitter(transport: str, attempt: int, dice: float) -> None:
    policy = DEFAULTS[transport].reconnect
    share = policy.jitter_s * (policy.cap_s if policy.jitter_kind == "proportional" else 1)

    wait = delay(policy, attempt, lambda: dice)

    assert wait is None or 0 <= wait <= policy.cap_s + share


def test_the_window_closes_after_a_day() -> None:
    policy = DEFAULTS["xmpp"].reconnect

    assert delay(policy, 300, never, elapsed_s=86_399.9) == 240
    assert delay(policy, 300, never, elapsed_s=86_400.0) is None
    assert delay(policy, 1, never, elapsed_s=86_400.0) is None


def test_a_server_that_names_a_time_is_not_asked_earlier() -> None:
    assert delay(DEFAULTS["aperture"].reconnect, 1, never, retry_after_s=42.0) == 42
    assert delay(DEFAULTS["aperture"].reconnect, 5, never, retry_after_s=1.0) == 30


@pytest.mark.parametrize(
    ("transport", "foreground", "background"),
    [
        ("rooms", 20, 20),
        ("aperture", 20, 20),
        ("acp", 20, 20),
        ("xmpp", 30, 300),
        ("agentflow", 20, 20),
        ("faultmaven", 30, 30),
    ],
)
def test_the_heartbeat_of_each_transport(transport: str, foreground: float, background: float) -> None:
    heartbeat = DEFAULTS[transport].heartbeat

    assert heartbeat.interval(foreground=True) == foreground
    assert heartbeat.interval(foreground=False) == background


@pytest.mark.parametrize(("rtt_s", "timeout_s"), [(0.02, 10), (1.0, 10), (2.0, 20), (9.0, 30)])
def test_a_late_reply_is_measured_in_round_trips(rtt_s: float, timeout_s: float) -> None:
    assert DEFAULTS["xmpp"].heartbeat.timeout(rtt_s) == timeout_s


@pytest.mark.parametrize(
    ("transport", "cells"),
    [
        ("rooms", ("reject", "on_connect", 1, "continue", "error")),
        ("aperture", ("reject", "eager", 10, "continue", "ask")),
        ("acp", ("queue", "eager", None, "continue", "ask")),
        ("xmpp", ("queue", "never", 1, "pause", "error")),
        ("agentflow", ("queue", "on_first_send", 1, "continue", "new-draft")),
        ("faultmaven", ("reject", "on_attach", 1, "continue", "recreate-once")),
    ],
)
def test_the_rest_of_the_table(transport: str, cells: tuple[object, ...]) -> None:
    policy = DEFAULTS[transport]

    assert (policy.queue.when_down, policy.create, policy.live.cap, policy.network.on_loss, policy.missing) == cells


def test_a_queue_takes_as_many_as_it_may_for_as_long_as_it_may() -> None:
    agentflow, durable, refused = DEFAULTS["agentflow"].queue, DEFAULTS["acp"].queue, DEFAULTS["rooms"].queue

    assert agentflow.accepts(99)
    assert not agentflow.accepts(100)
    assert durable.accepts(10**6)
    assert not refused.accepts(0)
    assert not durable.expired(10**9)
    assert [QueuePolicy("queue", ttl_s=60.0).expired(waited) for waited in (59.9, 60.0)] == [False, True]


def test_the_session_that_was_idle_longest_makes_room() -> None:
    live = [Live("young", 3.0), Live("streaming", 1.0, busy=True), Live("old", 2.0)]

    assert victim(LivePolicy(3), live, "new") == "old"
    assert victim(LivePolicy(3), live, "streaming") is None
    assert victim(LivePolicy(4), live, "new") is None
    assert victim(LivePolicy(), live, "new") is None


def test_where_all_are_in_use_the_next_one_is_refused() -> None:
    live = [Live(str(number), 0.0, busy=True) for number in range(10)]

    with pytest.raises(ConflictError, match="Maximum concurrent connections reached"):
        victim(DEFAULTS["aperture"].live, live, "new")


def test_a_single_place_is_given_to_whoever_came_last() -> None:
    assert victim(DEFAULTS["rooms"].live, [Live("a", 1.0, busy=True)], "b") == "a"


@pytest.mark.parametrize(("after_s", "elapsed_s", "reached"), [(0, 10**9, False), (5, 4.9, False), (5, 5, True)])
def test_a_limit_of_nothing_is_no_limit(after_s: float, elapsed_s: float, reached: bool) -> None:
    assert due(after_s, elapsed_s) is reached


def test_agents_are_limited_as_documented() -> None:
    limits = AgentPolicy()

    assert (limits.hibernate_after_s, limits.initialize_timeout_s, limits.prompt_watchdog_s) == (1800, 60, 0)
    assert (limits.abandon_after_s, limits.frame_limit_bytes) == (86_400, 16_777_216)


@pytest.mark.parametrize("transport", sorted(DEFAULTS))
def test_every_cell_can_be_overridden(transport: str) -> None:
    ours = DEFAULTS[transport]
    theirs = {name: msgspec.to_builtins(policy) for name, policy in DEFAULTS.items()}

    for name, values in theirs.items():
        assert overridden(ours, values) == DEFAULTS[name]


def test_one_cell_changes_and_the_others_stay() -> None:
    changed = overridden(DEFAULTS["xmpp"], {"reconnect": {"cap_s": 60, "max_window_s": inf}})

    assert changed.reconnect.cap_s == 60
    assert changed.reconnect.max_window_s is None
    assert changed.reconnect.base_s == 5
    assert changed.heartbeat == DEFAULTS["xmpp"].heartbeat


@pytest.mark.parametrize(
    "wrong",
    [
        {"reconect": {}},
        {"reconnect": {"cap": 5}},
        {"reconnect": {"cap_s": "soon"}},
        {"create": "whenever"},
        {"reconnect": 5},
        {"live": {"cap": 1.5}},
    ],
)
def test_a_wrong_cell_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="a setting of the transport is not valid"):
        overridden(TransportPolicy(), wrong)


def test_a_policy_without_limits_goes_on_for_ever() -> None:
    assert delay(ReconnectPolicy(), 10**6, never, elapsed_s=10**9) == 30

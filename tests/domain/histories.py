"""Random histories: commands and observations in any order, over so few ids that they meet all the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from hypothesis import strategies as st
from msgspec import Raw, Struct

from holdfast.domain.content import NOTHING, of_text
from holdfast.domain.errors import HoldfastError
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.decide import decide
from holdfast.domain.session.evolve import evolve
from holdfast.domain.session.facts import Fact
from holdfast.domain.session.state import SessionState
from tests.domain.scene import ALLOW, DENY

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")
Decide = Callable[[SessionState, c.Command, int], tuple[Fact, ...]]
Evolve = Callable[[SessionState, Fact, int], SessionState]

PROMPTS: Final = ["p1", "p2", "p3", "p4", "p5"]
TURNS: Final = ["t1", "t2", "t3", "t4", "t5"]
REQUESTS: Final = ["r1", "r2", "r3", "r4"]
ITEMS: Final = ["i1", "i2", "i2#2", "p1", "r1"]
LINKS: Final = ["l1", "l1", "l2"]
TEXTS: Final = ["Hi", "Hi", "", " ", "two\nlines", "ünï ", "x" * 130]
CONTENTS: Final = [
    of_text("do it"),
    of_text("no, that"),
    Raw(b'[{"type":"image","data":"AA=="},{"type":"text","text":"see"}]'),
    Raw(b'"plain"'),
]
STATUSES: Final[list[e.ToolStatus]] = ["pending", "in_progress", "completed", "failed"]
SCOPES: Final[list[Literal["message", "session", "context"]]] = ["message", "session", "context"]
JSON: Final = [Raw(b'{"command":"ls"}'), Raw(b"[1, 2.50]"), Raw(b"null")]


class Author:
    """Makes up what happens next.

    Args:
        choose: Picks one of several things, by whatever chance.
    """

    def __init__(self, choose: Callable[[Sequence[Any]], Any]) -> None:
        self._choose = choose
        self.state = SessionState()

    def one(self, things: Sequence[T]) -> T:
        chosen: T = self._choose(things)
        return chosen

    def maybe(self, things: Sequence[T]) -> T | None:
        return self.one([None, *things])

    def turn(self) -> str:
        """Mostly the one that is open, so that histories get somewhere."""
        return self.one([*TURNS, *([self.state.turn.turn_id] * 10 if self.state.turn else [])])

    def prompt(self) -> str:
        return self.one([*PROMPTS, *(prompt.prompt_id for prompt in self.state.queue for _ in range(4))])

    def request(self) -> str:
        return self.one([*REQUESTS, *(pending.request_id for pending in self.state.pending for _ in range(6))])

    def command(self) -> c.Command:
        """What is asked of the session next, or observed of its peer."""
        command: c.Command = self.one(COMMANDS)(self)
        return command

    def observation(self) -> c.Observe:
        several = range(self.one([1, 1, 1, 2, 3]))
        return c.Observe(tuple(self.one(self.one([COURSE, COURSE, TALK, FORGED]))(self) for _ in several))


def _question(a: Author) -> Fact:
    turn = a.one([None, a.turn()])
    return e.PermissionRequested(a.one(REQUESTS), turn, a.one(TEXTS), a.one(JSON), (ALLOW, DENY), "hash")


TALK: Final[list[Callable[[Author], Fact]]] = [
    lambda a: e.TextAppended(a.one(ITEMS), a.one(TEXTS), a.one([None, None, "side"])),
    lambda a: e.TextAppended(a.one(ITEMS), a.one(TEXTS)),
    lambda a: e.ThoughtAppended(a.one(ITEMS), a.one(TEXTS), a.maybe(["side"])),
    lambda a: e.ToolCalled(
        a.one(ITEMS),
        "call",
        a.maybe(TEXTS),
        a.maybe(["execute"]),
        a.maybe(STATUSES),
        a.one(JSON),
        thread=a.maybe(["side"]),
    ),
    lambda a: e.ToolUpdated(a.one(ITEMS), "call", a.maybe(TEXTS), status=a.maybe(STATUSES), output=a.one(JSON)),
    lambda a: e.MessageReceived(a.one(ITEMS), a.one(CONTENTS), a.maybe(["bob"])),
    lambda a: e.MessageSent(a.one(ITEMS), a.one(CONTENTS), thread=a.maybe(["side"])),
    lambda a: e.MessageEdited(a.one(ITEMS), a.one(CONTENTS)),
    lambda a: e.MessageAcknowledged(a.one(ITEMS), a.one(["stored", "delivered", "displayed"])),
    lambda a: e.PlanChanged(a.one(ITEMS), a.one(JSON)),
    lambda a: e.NoticeAdded(a.one(ITEMS), "injected", a.one(TEXTS)),
    lambda a: e.RawReceived(a.one(ITEMS), "novelty", a.one(JSON)),
    lambda a: e.UsageReported(a.one(SCOPES), a.maybe(ITEMS), a.one(range(9)), a.one(range(9))),
    lambda a: e.ModeChanged(a.one(["plan", "code"])),
    lambda a: e.CommandsChanged(a.one(JSON)),
    lambda a: e.ModesOffered(a.one(JSON)),
    lambda a: e.OptionsOffered(a.one(JSON)),
    lambda a: e.InfoChanged(a.maybe(TEXTS), a.maybe(["a-model"])),
    lambda a: e.HistoryGap("away"),
    lambda a: e.Unknown("from-tomorrow", 1, '{"a":  1}'),
]

COURSE: Final[list[Callable[[Author], Fact]]] = [
    lambda a: e.TurnStarted(a.one(TURNS), a.one([None, *PROMPTS])),
    lambda a: e.TurnEnded(a.turn(), a.one(["end_turn", "cancelled"])),
    lambda a: e.TurnInterrupted(a.turn(), "broke"),
    lambda a: e.TurnUnknown(a.turn(), "lost"),
    _question,
    _question,
    lambda a: e.PermissionExpired(a.request(), "gone"),
    lambda a: e.PromptAccepted(a.prompt()),
    lambda a: e.PromptFailed(
        a.prompt(), a.one(["not_delivered", "refused", "error"]), a.maybe(["why"]), a.one([NOTHING, of_text("Hi.")])
    ),
    lambda a: e.AttachRequested(a.one(LINKS)),
    lambda a: e.Attached(a.one(LINKS), a.maybe(["remote"]), a.one([True, False]), a.one(JSON)),
    lambda a: e.Detached(
        a.one(LINKS), a.one(["closed", "lost", "failed", "gone", "hibernated", "exited"]), a.maybe(["reset"])
    ),
    lambda a: e.Detached(a.state.link_id or "l1", "failed"),
]

FORGED: Final[list[Callable[[Author], Fact]]] = [
    lambda a: e.SessionCreated(transport="acp", owner="mallory", command=("agent", "acp")),
    lambda a: e.PromptQueued(a.prompt(), a.one(CONTENTS)),
    lambda a: e.PromptEdited(a.prompt(), a.one(CONTENTS)),
    lambda a: e.PromptWithdrawn(a.prompt()),
    lambda a: e.PromptSent(a.prompt(), a.one(CONTENTS)),
    lambda a: e.QueueResumed(),
    lambda a: e.CancelRequested(a.turn()),
    lambda a: e.PermissionAnswered(a.request(), "allow", "hash"),
    lambda a: e.SessionErased(),
]
"""What no peer can say, whatever it says."""

_ASKED: Final[list[Callable[[Author], c.Command]]] = [
    lambda a: c.QueuePrompt(a.prompt(), a.one(CONTENTS)),
    lambda a: c.QueuePrompt(a.one(PROMPTS), a.one(CONTENTS)),
    lambda a: c.EditPrompt(a.prompt(), a.one(CONTENTS)),
    lambda a: c.WithdrawPrompt(a.prompt()),
    lambda a: c.StartTurn(a.one(TURNS)),
    lambda a: c.StartTurn(a.one(TURNS)),
    lambda a: c.Cancel(),
    lambda a: c.Answer(a.request(), a.one(["allow", "deny", "other", None]), None, a.maybe(["hash", "other"])),
    lambda a: c.MarkRead(a.maybe(["owner", "guest"]), a.maybe(range(-1, 60))),
    lambda a: c.MarkRead(),
    lambda a: c.MarkUnread(a.maybe(["owner", "guest"])),
]

_SELDOM: Final[list[Callable[[Author], c.Command]]] = [
    lambda a: c.ResumeQueue(),
    lambda a: c.Create(transport="acp"),
    lambda a: c.Configure({a.one("ab"): a.one(TEXTS)}),
    lambda a: c.Rename(a.one(TEXTS)),
    lambda a: c.Pin(a.one([True, False])),
    lambda a: c.Mute(a.one([True, False]), a.maybe([0, 10**30])),
    lambda a: c.Notify("tray", a.one(ITEMS)),
    lambda a: a.one([c.Notify("web", "i1")] * 2 + [a.one(_RARE)(a)]),
]

_RARE: Final[list[Callable[[Author], c.Command]]] = [
    lambda a: c.End(a.one(["user", ""])),
    lambda a: c.Observe((e.SessionEnded("exited"),)),
    lambda a: c.Erase(),
]

COMMANDS: Final[list[Callable[[Author], c.Command]]] = [
    *_ASKED,
    *_ASKED,
    *_SELDOM,
    *[Author.observation] * len(_ASKED) * 2,
]


class Step(Struct, frozen=True):
    """One command, what it led to, and the state after it."""

    command: c.Command
    facts: tuple[Fact, ...]
    refusal: HoldfastError | None
    state: SessionState


def unfold(asked: Iterable[c.Command], decide: Decide = decide, evolve: Evolve = evolve) -> list[Step]:
    """Put every command to a new session, one after the other. A refusal changes nothing."""
    steps: list[Step] = []
    state, version = SessionState(), 0
    for command in asked:
        step = _put(command, state, version, decide, evolve)
        state, version = step.state, version + len(step.facts)
        steps.append(step)
    return steps


def _put(command: c.Command, state: SessionState, version: int, decide: Decide, evolve: Evolve) -> Step:
    try:
        facts = decide(state, command, version)
    except HoldfastError as refusal:
        return Step(command, (), refusal, state)
    for fact in facts:
        version += 1
        state = evolve(state, fact, version)
    return Step(command, facts, None, state)


def written(author: Author, length: int) -> list[c.Command]:
    """What `author` makes up, from the session's creation on."""
    asked: list[c.Command] = []
    version = 0
    for number in range(length):
        command = author.command() if number else c.Create(transport="acp", title=author.one(["", "A title"]))
        step = _put(command, author.state, version, decide, evolve)
        author.state, version = step.state, version + len(step.facts)
        asked.append(command)
    return asked


@st.composite
def commands(draw: st.DrawFn, max_size: int = 50) -> list[c.Command]:
    """Commands as hypothesis chooses them, so that a history that breaks something is made small."""
    chance = draw(st.randoms(use_true_random=False))
    return written(Author(chance.choice), draw(st.integers(1, max_size)))


def history(seed: int) -> list[c.Command]:
    """The history that a number stands for: the same in every run."""
    return written(Author(Random(seed).choice), 60)


def facts_of(steps: Sequence[Step]) -> list[Fact]:
    """Everything that happened, in order: the event at index 0 has version 1."""
    return [fact for step in steps for fact in step.facts]

"""The statecharts of a session, found by walking through it: nothing here knows which transitions there are.

A breadth-first search puts representative commands and observations to one session of every kind that it meets. Two
sessions are of one kind when nothing that any rule looks at tells them apart.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct

from holdfast.domain.content import of_text
from holdfast.domain.errors import HoldfastError
from holdfast.domain.projections.roster import connection
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.decide import decide
from holdfast.domain.session.evolve import evolve
from holdfast.domain.session.facts import BY_CLASS
from holdfast.domain.session.lifecycle import attention, lifecycle
from holdfast.domain.session.state import SessionState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.domain.session.facts import Fact

CHARTS: Final[dict[str, Callable[[SessionState], str]]] = {
    "lifecycle": lifecycle,
    "attention": attention,
    "connection": lambda state: connection(state).state,
}

_WORDS = of_text("words")
_OPTIONS = (e.Option("allow", "allow_once"),)


class Walk(Struct, frozen=True):
    """One command put to one kind of session.

    Attributes:
        before: A session of that kind.
        command: What was asked or observed.
        states: The states after each fact it led to, in order.
        tags: The type tags of those facts.
        refusal: Name of the error, where it was refused.
    """

    before: SessionState
    command: c.Command
    states: tuple[SessionState, ...] = ()
    tags: tuple[str, ...] = ()
    refusal: str | None = None


def explore() -> list[Walk]:
    """Walk every way from every kind of session that can be reached; the way there is the shortest."""
    walks: list[Walk] = []
    seen: set[tuple[object, ...]] = set()
    waiting = deque([(SessionState(), 0)])
    while waiting:
        state, version = waiting.popleft()
        for command in _everything(state, version):
            walk = _walk(state, command, version)
            walks.append(walk)
            after = walk.states[-1] if walk.states else state
            if not seen.issuperset(kinds := _kinds(after)):
                seen.update(kinds)
                waiting.append((after, version + len(walk.states)))
    return walks


def _walk(state: SessionState, command: c.Command, version: int) -> Walk:
    try:
        facts = decide(state, command, version)
    except HoldfastError as refusal:
        return Walk(state, command, refusal=type(refusal).__name__)
    states: list[SessionState] = []
    after = state
    for number, fact in enumerate(facts, version + 1):
        after = evolve(after, fact, number)
        states.append(after)
    return Walk(state, command, tuple(states), tuple(BY_CLASS[type(fact)].tag for fact in facts))


def _kinds(state: SessionState) -> tuple[tuple[object, ...], ...]:
    """What rules look at: how it is connected, and how it is used. They meet in the lifecycle and in a failure only."""
    words = (lifecycle(state), attention(state), state.created, state.erased)
    return (
        ("connected", *words, state.attachment, state.detached_because),
        (
            "used",
            *words,
            state.ever_attached,
            state.failure is not None,
            state.turn is not None and state.turn.cancelling,
            tuple(prompt.state for prompt in state.queue[:2]),
            state.held,
            state.spoke,
            state.unread() > 0,
            state.reader().marked,
        ),
    )


def _everything(state: SessionState, version: int) -> Iterator[c.Command]:
    """Each command once, and each fact as it would be observed, about what is there now; new things get new ids."""
    new = f"n{version}"
    prompt = next((prompt.prompt_id for prompt in state.queue), new)
    turn = state.turn.turn_id if state.turn else new
    request = next((pending.request_id for pending in state.pending), new)
    yield c.Create("acp")
    if len(state.queue) < 2:  # one that was sent and one that waits show all there is
        yield c.QueuePrompt(new, _WORDS)
    yield from (c.EditPrompt(prompt, _WORDS), c.WithdrawPrompt(prompt), c.StartTurn(new), c.ResumeQueue(), c.Cancel())
    yield from (c.Answer(request, "allow"), c.MarkRead(), c.MarkUnread())
    yield from (c.Rename("title"), c.Configure({"option": new}), c.Pin(), c.Mute(), c.Notify("tray", new))
    yield from (c.End(), c.Erase())
    observed: tuple[Fact, ...] = (
        e.AttachRequested("l1"),
        e.Attached("l1"),
        *(e.Detached("l1", reason) for reason in ("closed", "lost", "failed", "gone", "hibernated", "exited")),
        e.TurnStarted(new),
        e.TurnEnded(turn, "end_turn"),
        e.TurnInterrupted(turn, "reason"),
        e.TurnUnknown(turn, "reason"),
        e.TextAppended(new, "text"),
        e.ThoughtAppended(new, "thought"),
        e.ToolCalled(new, new),
        e.MessageReceived(new, _WORDS),
        e.MessageSent(new, _WORDS),
        e.PermissionExpired(request, "reason"),
        e.PromptAccepted(prompt),
        e.PromptFailed(prompt, "error"),
        e.HistoryGap("reason"),
        e.SessionEnded("reason"),
    )
    for fact in observed:
        yield c.Observe((fact,))
    if not state.pending:
        yield c.Observe((e.PermissionRequested(new, turn, "title", Raw(b"{}"), _OPTIONS, "hash"),))


def transitions(walks: list[Walk], chart: Callable[[SessionState], str]) -> dict[tuple[str, str], list[str]]:
    """Which events lead from where to where, in the order of the walk."""
    edges: dict[tuple[str, str], dict[str, None]] = {}
    for walk in walks:
        before = walk.before
        for tag, after in zip(walk.tags, walk.states, strict=True):
            source = chart(before) if before.created else "[*]"
            if source != chart(after):
                edges.setdefault((source, chart(after)), {})[tag] = None
            before = after
    return {edge: sorted(tags) for edge, tags in edges.items()}


def diagram(walks: list[Walk], chart: Callable[[SessionState], str]) -> str:
    """A Mermaid diagram of every transition that was walked."""
    lines = ["```mermaid", "stateDiagram-v2"]
    for (source, target), tags in transitions(walks, chart).items():
        lines.append(f"    {source} --> {target}: {'<br/>'.join(tags)}")
    return "\n".join([*lines, "```", ""])


def transition_table(walks: list[Walk], chart: Callable[[SessionState], str]) -> str:
    """The same transitions as a table."""
    lines = ["| from | to | by |", "| --- | --- | --- |"]
    for (source, target), tags in transitions(walks, chart).items():
        named = ", ".join(f"[`{tag}`](events.md#{tag})" for tag in tags)
        lines.append(f"| {'–' if source == '[*]' else f'`{source}`'} | `{target}` | {named} |")
    return "\n".join([*lines, ""])


def command_table(walks: list[Walk]) -> str:
    """What each command leads to, or how it is refused, in every state of the lifecycle."""
    columns = list(
        dict.fromkeys(lifecycle(walk.before) for walk in walks if walk.before.created and not walk.before.erased)
    )
    cells: dict[str, dict[str, dict[str, None]]] = {}
    for walk in walks:
        if isinstance(walk.command, c.Observe) or not walk.before.created or walk.before.erased:
            continue
        cell = cells.setdefault(type(walk.command).__name__, {}).setdefault(lifecycle(walk.before), {})
        cell[f"*{walk.refusal}*" if walk.refusal else "done" if walk.tags else "nothing new"] = None
    lines = [f"| command | {' | '.join(f'`{column}`' for column in columns)} |", "| --- |" + " --- |" * len(columns)]
    lines += [
        f"| `{name}` | {' | '.join(', '.join(sorted(row[column])) for column in columns)} |"
        for name, row in cells.items()
    ]
    return "\n".join([*lines, ""])

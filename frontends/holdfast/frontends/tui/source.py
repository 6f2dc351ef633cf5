"""Where the screens get what they show: a daemon's stream, or a store that is only read. Widgets know nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from holdfast.frontends.client.following import Delivery
    from holdfast.frontends.client.views import Json, View, ViewName

SourceState = Literal["connecting", "live", "silent", "waiting", "denied", "stored"]


class Source(Protocol):
    """One log, wherever it is. On the event loop; nothing here blocks it."""

    @property
    def label(self) -> str:
        """What it is, for people: the daemon, or the path of a store."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether commands are refused, now and for ever."""
        ...

    @property
    def state(self) -> SourceState:
        """`live` while a daemon is heard, `silent` while it does not answer; `stored` for a store without one."""
        ...

    @property
    def attempt(self) -> int:
        """Attempts to reach the daemon since it was last heard."""
        ...

    @property
    def error(self) -> str | None:
        """Why it is not live, for people."""
        ...

    @property
    def as_of(self) -> float:
        """When what is shown was last known to be so, seconds since the epoch."""
        ...

    @property
    def retry_at(self) -> float | None:
        """When the next attempt is due, seconds since the epoch; None while there is none to wait for."""
        ...

    async def run(self) -> None:
        """Keep at it until cancelled.

        Raises:
            HoldfastError: It cannot be shown at all.
        """
        ...

    async def start(self) -> None:
        """Start the daemon where there is none.

        Raises:
            HoldfastError: It cannot be started, or this is no daemon's.
        """
        ...

    async def turned(self) -> None:
        """Return when `state` has changed."""
        ...

    async def resolve(self, name: str) -> str:
        """Return the session that an id, a prefix of it, or a title names.

        Raises:
            NotFoundError: No session fits.
            AmbiguousNameError: Several do.
        """
        ...

    async def view(
        self, name: ViewName, session: str | None = None, *, limit: int | None = None, ended: bool = False
    ) -> View:
        """Look at a view, and return it once it is known.

        Raises:
            HoldfastError: There is no such view.
        """
        ...

    async def leave(self, view: View) -> None:
        """Look away; what is in the view stays as it is."""
        ...

    async def page(self, session: str, *, before: str | None = None, limit: int = 50) -> Json:
        """Return a piece of a transcript, as `show --json` has it. Raises `HoldfastError`, as all below do."""
        ...

    async def around(self, session: str, item: str, *, each_side: int = 25) -> Json:
        """Return one item with those before and after it, as `page` does."""
        ...

    async def last_turn(self, session: str) -> Json:
        """Return the items since the person spoke last, as `page` does."""
        ...

    async def attachment(self, session: str, name: str) -> bytes:
        """Return what an item refers to by this name."""
        ...

    async def search(self, query: str, *, limit: int = 50) -> list[Json]:
        """Return what fits, the best first, as `search --json` has it."""
        ...

    def events(
        self, session: str | None = None, *, after: int | None = None, types: Sequence[str] | None = None
    ) -> AsyncGenerator[Delivery]:
        """Yield what is in the log, of some types or of all, and go on as it comes; close it with `aclosing`."""
        ...

    async def queue(self, session: str) -> list[Json]:
        """Return what waits to be sent, as `queue --json` has it."""
        ...

    async def files(self, session: str, query: str) -> list[str]:
        """Return files in the session's folder that fit, relative to it."""
        ...

    async def agents(self) -> list[Json]:
        """Return the agents that are known, as `agents --json` has it."""
        ...

    async def command(
        self, verb: str, session: str | None = None, body: Json | None = None, *, client_id: str | None = None
    ) -> object:
        """Have something done, and return the result once it is in the log.

        Args:
            verb: The last word of its HTTP path.
            session: The session it is about.
            body: The body of the HTTP request.
            client_id: Our name for it; the same one again returns the first result.

        Raises:
            HoldfastError: It is refused.
        """
        ...

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Make a request to the HTTP API, for what the stream has no verb for; `path` is below `/api/v1`."""
        ...

    async def export(self, session: str, kind: Literal["md", "html", "jsonl"]) -> bytes:
        """Return the session as a file; what is made for people has no secrets that are recognised."""
        ...

    async def focus(self, session: str | None, seen: int | None = None) -> None:
        """Say what the person looks at, and the position of the newest output that is visible."""
        ...

"""A log in which nothing happened yet: what there is to read before the first session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.domain.answers import Attachment, Behind, Check, LogEvent, Page, Verification
from holdfast.domain.errors import NotFoundError
from holdfast.domain.search.query import no_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from holdfast.domain.answers import Hit
    from holdfast.domain.exported import Export, Format
    from holdfast.domain.ports import Progress
    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.projections.offers import Offers
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import StreamId
    from holdfast.domain.search.query import Query


class Nothing:
    """Answers every question as an empty log would, but for what a witness remembers of one that is gone."""

    def __init__(self, remembered: int = 0, beside: Callable[[], list[Check]] = list) -> None:
        """Stand where no log is.

        Args:
            remembered: The position that one that is gone had come to.
            beside: Gives the lines of a health report that need no log.
        """
        self._remembered = remembered
        self._beside = beside

    def resolve(self, name: str) -> StreamId:
        """Find nothing.

        Raises:
            NotFoundError: Always.
        """
        raise _missing(name)

    def rows(self, *, ended: bool = False) -> list[Row]:
        """Return no rows."""
        del ended
        return []

    def row(self, session_id: StreamId) -> Row:
        """Find nothing."""
        raise _missing(session_id)

    def page(self, session_id: StreamId, *, before: str | None = None, limit: int = 50) -> Page:
        """Find nothing."""
        del before, limit
        raise _missing(session_id)

    def last_turn(self, session_id: StreamId) -> Page:
        """Find nothing."""
        raise _missing(session_id)

    def around(self, session_id: StreamId, item_id: str, *, each_side: int = 3) -> Page:
        """Find nothing."""
        del item_id, each_side
        raise _missing(session_id)

    def offers(self, session_id: StreamId) -> Offers:
        """Find nothing."""
        raise _missing(session_id)

    def attachment(self, session_id: StreamId, name: str) -> Attachment:
        """Find nothing."""
        del name
        raise _missing(session_id)

    def search(self, query: Query, *, limit: int = 20) -> list[Hit]:
        """Find nothing, in no session."""
        del limit
        for where in query.where:
            if where.field == "in" and not where.excluded:
                raise no_session(where.value)
        return []

    def inbox(self) -> list[Request]:
        """Return no requests."""
        return []

    def events(
        self, *, since: int = 0, session_id: StreamId | None = None, types: Sequence[str] = (), follow: bool = False
    ) -> Iterator[LogEvent]:
        """Yield nothing."""
        del since, session_id, types, follow
        return iter(())

    def verify(self, progress: Progress | None = None) -> Verification:
        """Return that nothing is wrong with nothing."""
        del progress
        if self._remembered:
            behind = Behind(0, self._remembered)
            return Verification(ok=False, checked=0, first_bad=None, behind=behind, cannot_know=["where the log went"])
        return Verification(ok=True, checked=0, first_bad=None, behind=None, cannot_know=["there is no log yet"])

    def export(self, session_id: StreamId, kind: Format, *, redact: bool | None = None) -> Export:
        """Find nothing."""
        del kind, redact
        raise _missing(session_id)

    def digests(self) -> dict[str, str]:
        """Return no views."""
        return {}

    def checks(self) -> list[Check]:
        """Return that there is no store yet."""
        if self._remembered:
            detail = (
                f"the log is gone; its witness saw {self._remembered} events: put it back, or see `holdfast verify`"
            )
            return [Check("store", ok=False, detail=detail), *self._beside()]
        return [Check("store", ok=True, detail="there is none yet: import or start something"), *self._beside()]


def _missing(name: str) -> NotFoundError:
    return NotFoundError(f"there is no session {name!r}: nothing was imported or started yet")

"""How much is measured: long enough to trust, a minute to look, or only to see that everything runs."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Scale(Struct, frozen=True):
    """Sizes of a run.

    Attributes:
        rounds: How often everyone has a turn.
        slice_s: How long a turn of appending takes.
        events: Events of the session that is folded, verified and weighed.
        roster: Sessions that are listed.
        log: Events of the long log that is opened.
        transcript_bytes: Size of the transcript that is imported.
    """

    rounds: int
    slice_s: float
    events: int
    roster: int
    log: int
    transcript_bytes: int


FULL: Final = Scale(9, 0.7, 100_000, 10_000, 1_000_000, 20_000_000)
QUICK: Final = Scale(3, 0.5, 100_000, 10_000, 200_000, 5_000_000)
SMOKE: Final = Scale(1, 0.02, 300, 20, 500, 50_000)

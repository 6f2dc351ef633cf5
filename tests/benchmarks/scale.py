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
        clients: Frontends that are attached at once.
        burst: Events that they are sent.
        stall_s: How long half of them do not read.
        items: Items that are searched.
        crowd: Clients that come back at once, at the most.
        talkers: Sessions whose agents talk at once.
        talk_s: How long they talk.
    """

    rounds: int
    slice_s: float
    events: int
    roster: int
    log: int
    transcript_bytes: int
    clients: int
    burst: int
    stall_s: float
    items: int
    crowd: int
    talkers: int
    talk_s: float


FULL: Final = Scale(9, 0.7, 100_000, 10_000, 1_000_000, 20_000_000, 100, 25_600, 10.0, 1_000_000, 10_000, 100, 10.0)
QUICK: Final = Scale(3, 0.5, 100_000, 10_000, 200_000, 5_000_000, 100, 12_800, 7.0, 100_000, 2_000, 100, 5.0)
SMOKE: Final = Scale(1, 0.02, 300, 20, 500, 50_000, 4, 256, 0.1, 400, 60, 2, 0.1)

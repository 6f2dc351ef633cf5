"""Event ids are never given twice, whoever asks."""

from __future__ import annotations

import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

from holdfast.adapters.storage.event_ids import new_event_id

_FORKED = """
import os, sys
from holdfast.adapters.storage.event_ids import new_event_id
new_event_id()
inward, outward = os.pipe()
if os.fork() == 0:
    os.write(outward, b"".join(new_event_id() for _ in range(100)))
    os._exit(0)
os.wait()
own = {new_event_id()[6:] for _ in range(100)}
theirs = os.read(inward, 1600)
assert len(theirs) == 1600
print(len(own & {theirs[start + 6 : start + 16] for start in range(0, 1600, 16)}))
"""


def test_an_id_is_a_uuid_of_version_7_and_sorts_by_its_time() -> None:
    first = uuid.UUID(bytes=new_event_id())
    later = [uuid.UUID(bytes=new_event_id()) for _ in range(1_000)]

    assert {(each.version, each.variant) for each in [first, *later]} == {(7, uuid.RFC_4122)}
    assert first.int >> 80 <= later[-1].int >> 80


def test_threads_never_get_the_same_id() -> None:
    def ask(times: int) -> list[bytes]:
        return [new_event_id() for _ in range(times)]

    with ThreadPoolExecutor(8) as threads:
        parts = threads.map(ask, [2_000] * 8)

    assert len({each for part in parts for each in part}) == 16_000


def test_a_forked_process_does_not_go_on_with_the_randomness_of_its_parent() -> None:
    ran = subprocess.run([sys.executable, "-c", _FORKED], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "0"

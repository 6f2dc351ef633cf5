"""What is remembered of the answers to commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from starlette.responses import Response

from holdfast.domain.recorded import Actor
from holdfast.frontends.gateway.operations import Call, Nothing, Operation
from holdfast.frontends.gateway.repeats import Repeats

if TYPE_CHECKING:
    from msgspec import Struct

SESSION = "aaaa1111-0000-4000-8000-000000000001"


@pytest.mark.anyio
async def test_the_answer_of_a_command_that_its_session_did_not_outlive_is_not_remembered() -> None:
    begun, over = anyio.Event(), anyio.Event()
    answers = iter(['{"title": "a secret"}', "erased by now"])

    async def rename(call: Call, given: Struct) -> Response:
        said = next(answers)
        begun.set()
        await over.wait()
        return Response(said)

    async def erase(call: Call, given: Struct) -> Response:
        return Response(status_code=204)

    renames, erases = Repeats().kept(
        [
            Operation("POST", "/sessions/{id}/rename", "", rename, Nothing, None),
            Operation("DELETE", "/sessions/{id}", "", erase, Nothing, None),
        ]
    )
    call = Call({"id": SESSION}, "c-1", Actor("human", "test"), lines=False)

    async def begin() -> None:
        await renames.handler(call, Nothing())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(begin)
        await begun.wait()
        await erases.handler(call, Nothing())
        over.set()

    assert (await renames.handler(call, Nothing())).body == b"erased by now"


@pytest.mark.anyio
async def test_an_answer_that_does_not_name_its_session_goes_with_it() -> None:
    answers = iter([b"a secret", b"erased by now"])

    async def edit(call: Call, given: Struct) -> Response:
        return Response(next(answers))

    async def erase(call: Call, given: Struct) -> Response:
        return Response(status_code=204)

    edits, erases = Repeats().kept(
        [
            Operation("POST", "/sessions/{id}/queue", "", edit, Nothing, None),
            Operation("DELETE", "/sessions/{id}", "", erase, Nothing, None),
        ]
    )
    call = Call({"id": SESSION}, "c-1", Actor("human", "test"), lines=False)
    assert (await edits.handler(call, Nothing())).body == b"a secret"
    await erases.handler(call, Nothing())

    assert (await edits.handler(call, Nothing())).body == b"erased by now"

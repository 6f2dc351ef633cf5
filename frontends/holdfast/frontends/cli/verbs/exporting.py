"""`export`: one session in a format that leaves the program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.frontends.cli.output import save
from holdfast.frontends.cli.params import App, session_argument
from holdfast.frontends.cli.terminal import note
from holdfast.frontends.wording import count

if TYPE_CHECKING:
    from holdfast.domain.exported import Export, Format, Removed


@click.command("export")
@session_argument
@click.option(
    "--format",
    "kind",
    type=click.Choice(["jsonl", "md", "html", "bundle"]),
    required=True,
    help="jsonl imports back and verifies; bundle is a folder that proves itself; md and html are for reading.",
)
@click.option("--redact/--no-redact", default=None, help="Take secrets out; by default for md and html.")
@click.option("--output", metavar="FILE", help="Where to; nothing that exists is overwritten. Else standard output.")
@click.pass_obj
def export(app: App, *, session: str, kind: Format, redact: bool | None, output: str | None) -> None:
    """Export a session."""
    if kind == "bundle" and output is None:
        msg = "a bundle is a folder: name it with --output"
        raise click.UsageError(msg)
    with app.reading() as reading:
        made = reading.export(reading.resolve(session), kind, redact=redact)
        if output is not None:
            save(Path(output), made.files)
        else:
            _print(app, made, kind)
    app.terminal.flush()
    if made.removed.looked:
        note(_told(made.removed))


def _print(app: App, made: Export, kind: Format) -> None:
    for _, pieces in made.files:
        for piece in pieces:
            if kind == "jsonl":
                app.terminal.record(piece.removesuffix(b"\n"))
            else:
                app.terminal.document(piece)


def _told(removed: Removed) -> str:
    """Say what was removed: how many of each kind, never what."""
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(removed.kinds.items()))
    total = sum(removed.kinds.values())
    images = f"; left out {count(removed.left_out, 'image')}, which --no-redact shows" if removed.left_out else ""
    if not total:
        return f"holdfast: redacted nothing: no secret was recognised, which does not prove that there is none{images}"
    return f"holdfast: redacted {count(total, 'secret')}: {kinds}{images}"

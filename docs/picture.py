"""Draw the picture of the README: what the command line really prints of the example, as an SVG.

`python -m docs.picture` runs the commands on a terminal of their own, in a home that is thrown away.
"""

from __future__ import annotations

import io
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURE: Final = Path(__file__).parent / "images" / "terminal.svg"
EXAMPLE: Final = "docs/examples/claude-session.jsonl"
COLUMNS: Final = 108

_FORMAT: Final = """\
<svg class="rich-terminal" xml:space="preserve" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; white-space: pre; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


def main() -> None:
    """Write the picture anew."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    home = tempfile.mkdtemp()
    try:
        for words in (["import", EXAMPLE], ["ls"], ["show", "5f0c", "--last", "6"], ["verify"]):
            console.print(Text.assemble(("$ ", "bold green"), (f"holdfast {' '.join(words)}", "bold")))
            console.print(Text.from_ansi(_printed(words, home)))
    finally:
        shutil.rmtree(home)
    PICTURE.parent.mkdir(exist_ok=True)
    svg = console.export_svg(title="holdfast", theme=MONOKAI, code_format=_FORMAT, unique_id="holdfast")
    PICTURE.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


def _printed(words: list[str], home: str) -> str:
    """Return what a command prints on a terminal of `COLUMNS` columns."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    environment = {
        "HOLDFAST_HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8", "TZ": "UTC", "PATH": os.environ["PATH"],
    }  # fmt: skip
    command = [sys.executable, "-m", "holdfast.bootstrap", *words]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    parts: list[bytes] = []
    try:
        while part := os.read(ours, 65_536):
            parts.append(part)
    except OSError:  # Linux says so when the last of them has closed the terminal
        pass
    os.close(ours)
    process.wait()
    return b"".join(parts).decode().replace("\r\n", "\n").rstrip("\n")


if __name__ == "__main__":
    main()

"""What the documentation tells people to type is typed here.

Every fence marked `console`, on any page, is run. Its lines starting with `$ ` are commands, `> ` continues one, and
whatever follows is what the command must print, line by line; `…` stands for anything, alone on a line for any lines.
A command must succeed unless it ends in a comment such as `# exits 3`. The fences of one page share one shell and one
throw-away home. What should not be run is marked `sh` or `text`; whether there are such verbs, options and targets is
looked at in `sh`, too.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from holdfast.bootstrap import Doors
from holdfast.frontends.cli.main import main
from tests.support.cli import HOLDFAST, environment

if TYPE_CHECKING:
    from tests.support.cli import Cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^( *)```console\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_MARK = "\x1e"


class Step(NamedTuple):
    """One command of a page.

    Attributes:
        line: Where it stands in the page.
        command: What is typed.
        printed: What the page says it prints; empty says nothing about that.
        status: The exit status it must have.
    """

    line: int
    command: str
    printed: str
    status: int


def steps(page: str) -> list[Step]:
    """Return the commands of a page in the order a reader types them."""
    found: list[Step] = []
    for fence in _FENCE.finditer(page):
        first = page.count("\n", 0, fence.start(2)) + 1
        for number, raw in enumerate(fence[2].splitlines(), first):
            line = raw.removeprefix(fence[1])
            if line.startswith("$ "):
                status = re.search(r"# exits (\d+)$", line)
                found.append(Step(number, line[2:], "", int(status[1]) if status else 0))
            elif line.startswith("> "):
                found[-1] = found[-1]._replace(command=f"{found[-1].command}\n{line[2:]}")
            else:
                found[-1] = found[-1]._replace(printed=f"{found[-1].printed}{line}\n")
    return found


def fits(printed: str, wanted: str) -> bool:
    """Whether a command printed what its page says; the page may leave things out with `…`."""
    lines = (re.escape(line.rstrip()).replace("…", ".*") for line in wanted.strip().splitlines())
    pattern = "\n".join("(?s:.*)" if line == ".*" else line for line in lines)
    told = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return re.fullmatch(pattern, told) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if steps(page.read_text())]
)
def test_the_commands_of_a_page_do_what_it_says(page: Path, tmp_home: Path, cli: Cli) -> None:
    (tmp_home.parent / "docs").symlink_to(ROOT / "docs")
    script = tmp_home.parent / "page.sh"
    listed = steps(page.read_text())
    script.write_text("".join(f"{step.command}\nprintf '{_MARK}%s{_MARK}' $?\n" for step in listed))

    told = subprocess.run(
        ["bash", script],
        cwd=tmp_home.parent,
        env=environment(tmp_home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout.split(_MARK)
    cli("down", "--agents")  # a page ends what it starts, but not where it stops at a mistake

    for step, printed, status in zip(listed, told[::2], told[1::2], strict=False):
        where = f"{page.relative_to(ROOT)}:{step.line}: {shlex.quote(step.command)}"
        assert int(status) == step.status, f"{where} exited {status}:\n{printed}"
        assert not step.printed or fits(printed, step.printed), f"{where} printed:\n{printed}"
    assert len(told) == 2 * len(listed) + 1, told[-1]


def shown(page: str) -> list[list[str]]:
    """Return the commands of ours that a page shows and nobody runs, as words."""
    found: list[list[str]] = []
    for fence in _NOT_RUN.finditer(page):
        for line in fence[2].replace("\\\n", " ").splitlines():
            words = shlex.shlex(line, posix=True, punctuation_chars=True)
            words.whitespace_split = True
            command: list[str] = []
            for word in (*words, ";"):
                if set(word) <= set("();<>|&"):
                    found += [command] if command[:1] and command[0].rpartition("/")[2] in ("holdfast", "make") else []
                    command = []
                else:
                    command.append(word)
    return found


SHOWN = [(page, command) for page in PAGES for command in shown(page.read_text())]


@pytest.mark.parametrize(
    ("page", "command"), SHOWN, ids=[f"{page.name}: {' '.join(command)}" for page, command in SHOWN]
)
def test_a_command_that_a_page_only_shows_is_understood(
    page: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    program, *words = command
    if program == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    end = words.index("--") if "--" in words else len(words)
    # Help comes before anything is done, and after every word was looked at.
    code = main(Doors(), [*words[:end], "--help", *words[end:]])

    assert code == 0, f"{page.relative_to(ROOT)}: {shlex.join(command)}: {capsys.readouterr().err}"


def test_a_verb_or_an_option_that_is_not_there_is_noticed() -> None:
    page = "```sh\ncd x && holdfast ls --al | holdfast lls  # both wrong\nls\n```\n"

    assert shown(page) == [["holdfast", "ls", "--al"], ["holdfast", "lls"]]
    assert main(Doors(), ["ls", "--nothing", "--help"]) == 2
    assert main(Doors(), ["lls", "--help"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("planted", ["[gone](nowhere.md)", "[gone](architecture.md#nowhere)"])
def test_a_broken_link_fails_the_build(planted: str, tmp_path: Path) -> None:
    (recipe,) = re.findall(r"^\t(.*mkdocs .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    with (tmp_path / "docs" / "index.md").open("a") as page:
        page.write(f"\n{planted}\n")

    built = subprocess.run(
        ["sh", "-c", recipe.replace("$(BIN)", str(HOLDFAST.parent))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode == 1
    assert "Aborted with 1 warnings in strict mode" in built.stdout + built.stderr


def test_a_page_is_read_as_commands_with_what_they_print() -> None:
    page = "Text\n\n```console\n$ one \\\n> two\nout\n\nmore …\n$ three  # exits 3\n```\n\n```sh\n$ never\n```\n"

    assert steps(page) == [
        Step(4, "one \\\ntwo", "out\n\nmore …\n", 0),
        Step(9, "three  # exits 3", "", 3),
    ]


@pytest.mark.parametrize(
    ("printed", "wanted", "fit"),
    [
        ("a\nb\n", "a\nb", True),
        ("a 12 c\n", "a … c", True),
        ("a\nx\ny\nb\n", "a\n…\nb", True),
        ("a\nb\n", "a", False),
        ("a.c\n", "abc", False),
        ("a\nx\nc\n", "a …\nc", False),
    ],
)
def test_a_page_may_leave_out_only_what_it_marks(printed: str, wanted: str, fit: bool) -> None:
    assert fits(printed, wanted) is fit

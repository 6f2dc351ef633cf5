"""Who may import whom, and that the checks which say so can fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import grimp
import pytest

ROOT = Path(__file__).parents[1]
SOURCE_ROOTS = ("domain", "adapters", "frontends")

# The editable install has the real source roots on the path; without them only the copy is looked at.
_LINT = """
import sys
real, copy = sys.argv[1:3]
roots = ("domain", "adapters", "frontends")
sys.path[:] = [p for p in sys.path if p not in {f"{real}/{root}" for root in roots}]
sys.path[:0] = [f"{copy}/{root}" for root in roots]
from importlinter.cli import lint_imports
sys.exit(lint_imports(config_filename=f"{real}/pyproject.toml", no_cache=True, no_logo=True))
"""


class Violation(NamedTuple):
    """A line that must not be, the module it would stand in, and what the linter says of it."""

    module: str
    line: str
    told: str


VIOLATIONS = {
    "a frontend imports an adapter": Violation(
        "frontends/holdfast/frontends/planted.py",
        "import holdfast.adapters",
        "holdfast.frontends.planted -> holdfast.adapters",
    ),
    "an adapter imports a frontend": Violation(
        "adapters/holdfast/adapters/planted.py",
        "import holdfast.frontends",
        "holdfast.adapters.planted -> holdfast.frontends",
    ),
    "an adapter imports the composition root": Violation(
        "adapters/holdfast/adapters/rooted.py",
        "import holdfast.bootstrap",
        "holdfast.adapters.rooted -> holdfast.bootstrap",
    ),
    "the domain imports an adapter": Violation(
        "domain/holdfast/domain/planted.py",
        "import holdfast.adapters.storage",
        "holdfast.domain.planted -> holdfast.adapters.storage",
    ),
    "a transport imports the storage": Violation(
        "adapters/holdfast/adapters/transports/planted.py",
        "import holdfast.adapters.storage",
        "holdfast.adapters.transports.planted -> holdfast.adapters.storage",
    ),
    "the domain opens a socket": Violation(
        "domain/holdfast/domain/dialling.py",
        "import socket",
        "holdfast.domain.dialling -> socket",
    ),
    "the domain speaks SQL, inside a function": Violation(
        "domain/holdfast/domain/querying.py",
        "def query():\n    import sqlalchemy",
        "holdfast.domain.querying -> sqlalchemy",
    ),
    "a protocol runs an event loop": Violation(
        "adapters/holdfast/adapters/transports/planted/protocol.py",
        "import anyio",
        "holdfast.adapters.transports.planted.protocol -> anyio",
    ),
    "Textual is used outside the TUI": Violation(
        "frontends/holdfast/frontends/cli/planted.py",
        "import textual",
        "holdfast.frontends.cli.planted -> textual",
    ),
    "eventsourcing is used outside the storage": Violation(
        "adapters/holdfast/adapters/importers/planted.py",
        "from eventsourcing.persistence import StoredEvent",
        "holdfast.adapters.importers.planted -> eventsourcing",
    ),
}


@pytest.mark.slow
def test_the_import_contracts_are_kept() -> None:
    told = _lint(ROOT)

    assert told.returncode == 0, told.stdout


@pytest.fixture(scope="module")
def told_of_violations(tmp_path_factory: pytest.TempPathFactory) -> str:
    copy = tmp_path_factory.mktemp("planted")
    for root in SOURCE_ROOTS:
        shutil.copytree(ROOT / root, copy / root, ignore=shutil.ignore_patterns("__pycache__"))
    for violation in VIOLATIONS.values():
        module = copy / violation.module
        module.parent.mkdir(parents=True, exist_ok=True)
        for package in (module.parent, *module.parent.parents):
            if package.name == "holdfast":
                break
            (package / "__init__.py").touch()
        module.write_text(f"{violation.line}\n")
    told = _lint(copy)
    assert told.returncode == 1, told.stdout + told.stderr
    return told.stdout


@pytest.mark.slow
@pytest.mark.parametrize("violation", VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_planted_import_breaks_a_contract(violation: Violation, told_of_violations: str) -> None:
    assert violation.told in " ".join(told_of_violations.split())


def _lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _LINT, str(ROOT), str(tree)],
        cwd=tree,
        env={"COLUMNS": "400", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_domain_depends_on_msgspec_and_the_standard_library_alone() -> None:
    graph = grimp.build_graph("holdfast", include_external_packages=True, cache_dir=None)

    imported = {
        name
        for module in graph.find_descendants("holdfast.domain")
        for name in graph.find_modules_directly_imported_by(module)
    }

    foreign = {name for name in imported if not name.startswith("holdfast.")} - sys.stdlib_module_names
    assert foreign == {"msgspec"}


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_no_source_root_claims_the_namespace(root: str) -> None:
    assert not (ROOT / root / "holdfast" / "__init__.py").exists(), "this would hide the other two source roots"
    assert not (ROOT / root / "__init__.py").exists()


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_each_layer_says_that_it_is_typed(root: str) -> None:
    assert (ROOT / root / "holdfast" / root / "py.typed").is_file()


def test_modules_stay_small() -> None:
    lengths = {
        path.relative_to(ROOT): len(path.read_text().splitlines())
        for root in SOURCE_ROOTS
        for path in (ROOT / root).rglob("*.py")
    }

    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}

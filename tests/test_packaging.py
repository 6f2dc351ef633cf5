"""What a user installs: the wheel, and nothing beside it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WEB = {".css", ".html", ".js", ".png", ".svg", ".webmanifest"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_three_layers_and_nothing_else_at_the_top(wheel: Path) -> None:
    names = [Path(name) for name in zipfile.ZipFile(wheel).namelist()]

    code = {name for name in names if not name.parts[0].endswith(".dist-info")}

    assert {name.parts[0] for name in code} == {"holdfast"}
    assert {name.parts[1] for name in code} == {"domain", "adapters", "frontends", "bootstrap"}
    assert {f"holdfast/{layer}/py.typed" for layer in ("domain", "adapters", "frontends")} <= set(map(str, code))
    assert {name.suffix for name in names} <= {".py", ".typed", ".mako", ".txt", ".json", ""} | WEB


def test_the_wheel_carries_its_licence_and_its_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    (licence,) = (name for name in archive.namelist() if name.endswith("licenses/LICENSE"))

    assert "holdfast = holdfast.bootstrap:main" in archive.read(entry_points).decode()
    assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_every_module_imports_from_the_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    # Without `site` the editable install is not on the path; the dependencies are, by hand.
    imported = subprocess.run(
        [sys.executable, "-S", "-P", "-W", "error", "-c", _IMPORT_ALL, tmp_path, sysconfig.get_path("purelib")],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert imported.returncode == 0, imported.stderr
    layers = {name.split(".")[1] for name in imported.stdout.split()}
    assert layers == {"domain", "adapters", "frontends", "bootstrap"}


_IMPORT_ALL = """
import importlib, pkgutil, sys
here = sys.argv[1]
sys.path[:0] = sys.argv[1:3]
import holdfast
assert list(holdfast.__path__) == [f"{here}/holdfast"], holdfast.__path__
for module in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
    if not module.name.rpartition(".")[2].startswith("__") and ".migrations." not in module.name:
        print(importlib.import_module(module.name).__name__)
"""


def test_constraints_pin_versions_and_name_no_address() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]

    assert lines
    assert [line for line in lines if line.count("==") != 1 or "@" in line or "/" in line] == []

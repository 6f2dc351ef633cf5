from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.checkpoints import CheckpointFile, complaints, file_of, read_lines
from holdfast.adapters.storage.signing import Keyring, Signer
from holdfast.adapters.storage.witness import Witness
from holdfast.domain.errors import StoreDamagedError

if TYPE_CHECKING:
    from pathlib import Path

STORE = "a" * 32


def sign(folder: Path, *positions: int) -> None:
    file = CheckpointFile(folder, STORE, lambda: 1_700_000_000_000_000)
    for position in positions:
        file.append(Witness(STORE, position, bytes([position % 256]) * 32, b"l" * 32))


def said(folder: Path) -> list[str]:
    return list(complaints(read_lines(file_of(folder, STORE)), Keyring(folder)))


def edit(folder: Path, number: int, change: dict[str, object]) -> None:
    path = file_of(folder, STORE)
    lines = path.read_text().splitlines()
    lines[number - 1] = json.dumps(json.loads(lines[number - 1]) | change, separators=(",", ":"))
    path.write_text("\n".join(lines) + "\n")


def test_a_checkpoint_says_what_was_signed(tmp_path: Path) -> None:
    sign(tmp_path, 10, 20)

    first, second = (line.checkpoint for line in read_lines(file_of(tmp_path, STORE)))

    assert first is not None
    assert second is not None
    assert (first.number, first.position, first.store, first.prev) == (1, 10, STORE, "")
    assert (second.number, second.position, second.at) == (2, 20, 1_700_000_000_000_000)
    assert second.witness() == Witness(STORE, 20, bytes([20]) * 32, b"l" * 32)
    assert said(tmp_path) == []


def test_the_chain_of_checkpoints_goes_on_in_the_next_process(tmp_path: Path) -> None:
    sign(tmp_path, 10)
    sign(tmp_path, 20)

    assert said(tmp_path) == []
    assert len(read_lines(file_of(tmp_path, STORE))) == 2


def test_key_and_checkpoints_are_private(tmp_path: Path) -> None:
    sign(tmp_path, 1)

    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "key": 0o600,
        "key.pub": 0o600,
        f"{STORE}.jsonl": 0o600,
    }


def test_openssl_accepts_a_signature_as_documented(tmp_path: Path) -> None:
    sign(tmp_path, 1)
    line = file_of(tmp_path, STORE).read_bytes().splitlines()[0]
    body, _, rest = line.rpartition(b',"signature":"')
    (tmp_path / "message").write_bytes(b"holdfast checkpoint 1\n" + body)
    (tmp_path / "signature").write_bytes(bytes.fromhex(rest[:-2].decode()))

    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pub", "-rawin"]
    command += ["-in", "message", "-sigfile", "signature"]
    try:
        done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "change",
    [{"position": 11}, {"hash": "00" * 32}, {"log_hash": "00" * 32}, {"at": 0}, {"store": "c" * 32}, {"number": 7}],
)
def test_an_edited_checkpoint_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    sign(tmp_path, 10, 20, 30)
    edit(tmp_path, 2, change)

    assert any("line 2" in sentence for sentence in said(tmp_path))


def test_every_bit_of_a_line_is_under_the_signature(tmp_path: Path) -> None:
    sign(tmp_path, 10)
    path = file_of(tmp_path, STORE)
    content = path.read_bytes()
    for at in range(len(content) - 1):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert said(tmp_path), f"byte {at}"


def test_a_checkpoint_signed_with_a_strange_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "theirs").mkdir()
    sign(tmp_path / "mine", 10)
    sign(tmp_path / "theirs", 10, 20)
    file_of(tmp_path / "mine", STORE).write_bytes(file_of(tmp_path / "theirs", STORE).read_bytes())

    assert len(said(tmp_path / "mine")) == 2


@pytest.mark.parametrize("number", [1, 2])
def test_a_checkpoint_that_was_taken_out_is_missed(tmp_path: Path, number: int) -> None:
    sign(tmp_path, 10, 20, 30)
    path = file_of(tmp_path, STORE)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: number - 1] + lines[number:]))

    assert said(tmp_path)


def test_checkpoints_in_another_order_are_named(tmp_path: Path) -> None:
    sign(tmp_path, 10, 20, 30)
    path = file_of(tmp_path, STORE)
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + third + second)

    assert said(tmp_path)


@pytest.mark.parametrize("keep", [1, 50, 200])
def test_a_line_that_a_kill_cut_off_is_taken_away_by_the_next_one(tmp_path: Path, keep: int) -> None:
    sign(tmp_path, 10, 20)
    path = file_of(tmp_path, STORE)
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:keep])

    assert [line.checkpoint and line.checkpoint.position for line in read_lines(path)] == [10]
    assert said(tmp_path) == []

    sign(tmp_path, 30)

    assert [line.checkpoint and line.checkpoint.position for line in read_lines(path)] == [10, 30]
    assert said(tmp_path) == []


@pytest.mark.slow
def test_what_is_kept_grows_with_the_logarithm_and_still_checks(tmp_path: Path) -> None:
    sign(tmp_path, *range(1, 1500))

    lines = read_lines(file_of(tmp_path, STORE))
    numbers = [line.checkpoint.number for line in lines if line.checkpoint]

    assert len(numbers) < 600
    assert numbers[-128:] == list(range(1372, 1500))
    assert said(tmp_path) == []


@pytest.mark.slow
def test_thinning_keeps_a_line_that_was_edited(tmp_path: Path) -> None:
    sign(tmp_path, *range(1, 200))
    edit(tmp_path, 3, {"position": 4})
    sign(tmp_path, *range(200, 600))

    assert any("edited" in sentence for sentence in said(tmp_path))


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    first = Signer(tmp_path).key_id
    content = (tmp_path / "key").read_bytes()

    assert Signer(tmp_path).key_id == first
    assert (tmp_path / "key").read_bytes() == content


def test_a_lost_key_is_made_anew_and_old_checkpoints_still_check(tmp_path: Path) -> None:
    sign(tmp_path, 10)
    (tmp_path / "key").unlink()
    sign(tmp_path, 20)

    assert said(tmp_path) == []


def test_a_public_key_that_was_lost_comes_back(tmp_path: Path) -> None:
    sign(tmp_path, 10)
    (tmp_path / "key.pub").unlink()
    sign(tmp_path, 20)

    assert said(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_key_file_without_a_key_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)

    with pytest.raises(StoreDamagedError, match="holds no signing key"):
        sign(tmp_path, 10)

    assert (tmp_path / "key").read_bytes() == content


def test_opening_imports_no_cryptography() -> None:
    """It takes longer to import than a store takes to open."""
    code = "import sys, holdfast.adapters.storage.guard; sys.exit('cryptography' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0

"""The key that signs checkpoints, and the public keys that check them. No checkpoint is read or written here.

`cryptography` is imported only where something is signed or checked: opening a store does neither, and the import
alone takes longer than the opening.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from holdfast.adapters.durable import replace_file, sync_folder, write_file
from holdfast.domain.errors import StoreDamagedError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_NAME = "key"
PUBLIC_NAME = "key.pub"


class Signer:
    """The private key of one folder, made at first use and never overwritten."""

    def __init__(self, folder: Path) -> None:
        """Load `key`, or make it; put the public key beside it.

        Raises:
            OSError: The folder does not allow writing.
            StoreDamagedError: There is a key file that holds no key.
        """
        self._key = _load(folder / KEY_NAME) or _make(folder)
        self.key_id = key_id(self._key.public_key())
        _publish(folder, self._key.public_key())

    def sign(self, message: bytes) -> str:
        """Return the signature of `message`, hexadecimal."""
        return self._key.sign(message).hex()


class Keyring:
    """The public keys of one folder: the current one, and those of keys that were lost and made anew."""

    def __init__(self, folder: Path) -> None:
        """Read every public key; what holds none is left out, and what it signed will not check."""
        found = (_read_public(path) for path in sorted(folder.glob("key*.pub")))
        self._keys = {key_id(key): key for key in found if key is not None}

    def check(self, signer: str, message: bytes, signature: str) -> bool:
        """Tell whether the key with the id `signer` is known and made `signature` over `message`."""
        from cryptography.exceptions import InvalidSignature  # see the module's docstring

        key = self._keys.get(signer)
        if key is None:
            return False
        try:
            key.verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def key_id(key: Ed25519PublicKey) -> str:
    """Return sixteen hexadecimal digits that name a public key."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _load(path: Path) -> Ed25519PrivateKey | None:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # see the module's docstring
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        msg = f"{path} holds no signing key: restore it, or move it away to have a new one made"
        raise StoreDamagedError(msg) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        msg = f"{path} holds a key of another kind than Ed25519: restore it, or move it away to have a new one made"
        raise StoreDamagedError(msg)
    return key


def _make(folder: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives import serialization  # see the module's docstring
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    new = folder / f"{KEY_NAME}.{os.getpid()}.new"
    write_file(new, pem)
    try:
        # A link, unlike a rename, fails where another process was faster: two keys must not both believe they won.
        os.link(new, folder / KEY_NAME)
    except FileExistsError:
        key = _load(folder / KEY_NAME) or key
    finally:
        new.unlink()
    sync_folder(folder)
    return key


def _publish(folder: Path, key: Ed25519PublicKey) -> None:
    """Write the public key; one of a key that was lost keeps another name, since it still checks old lines."""
    from cryptography.hazmat.primitives import serialization  # see the module's docstring

    path = folder / PUBLIC_NAME
    before = _read_public(path)
    if before is not None and key_id(before) == key_id(key):
        return
    if path.exists():
        name = "unreadable" if before is None else key_id(before)
        path.rename(folder / f"{KEY_NAME}-{name}.pub")
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    replace_file(path, pem)


def _read_public(path: Path) -> Ed25519PublicKey | None:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # see the module's docstring
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        return None
    return key if isinstance(key, ed25519.Ed25519PublicKey) else None

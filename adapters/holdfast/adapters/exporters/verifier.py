"""Checks this evidence bundle with the standard library alone: `python3 verify.py [FOLDER]`; Ed25519 by RFC 8032."""

import base64
import json
import re
import struct
import sys
from hashlib import sha256, sha512
from hmac import digest as hmac
from pathlib import Path
from typing import Any

P, Q, D = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493, -121665 * pow(121666, -1, 2**255 - 19)
ABSENT, TEXTS = ("occurred_at", "cause", "device", "source", "source_offset"), ("session_id", "type", "cause", "device")
NUMBERS = ("position", "version", "event_id", "schema", "recorded_at", "occurred_at", "actor", "source_offset")


def require(right: bool, otherwise: str) -> None:
    if not right:
        raise ValueError(otherwise)


def add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    s, t, u, v = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0]), 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    return (t - s) * (v - u) % P, (v + u) * (t + s) % P, (v - u) * (v + u) % P, (t - s) * (t + s) % P


def times(n: int, point: tuple[int, ...]) -> tuple[int, ...]:
    return add(times(n >> 1, add(point, point)), point if n & 1 else (0, 1, 1, 0)) if n else (0, 1, 1, 0)


def point_of(data: bytes) -> tuple[int, ...]:
    y, odd = int.from_bytes(data, "little") & ~(1 << 255), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, P // 4, P) % P
    require(len(data) == 32 and y < P and x * x % P == square and (x != 0 or not odd), "a key or signature is none")
    return (x := x if x & 1 == odd else P - x), y, 1, x * y % P


def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    r, s, k = signature[:32], int.from_bytes(signature[32:], "little"), sha512(signature[:32] + key + message).digest()
    a, b = times(s, point_of(b"X" + b"f" * 31)), add(point_of(r), times(int.from_bytes(k, "little") % Q, point_of(key)))
    return s < Q and (a[0] * b[2] - b[0] * a[2]) % P == 0 == (a[1] * b[2] - b[1] * a[2]) % P


def hash_of(event: dict[str, Any], before: bytes, salt: bytes) -> bytes:
    digest = bytes.fromhex(event["digest"]) if event["data"] is None else hmac(salt, event["data"].encode(), "sha256")
    texts = [bytes.fromhex(event["source"] or ""), *((event[name] or "").encode() for name in TEXTS)]
    event["actor"] = ("peer", "human", "policy", "daemon").index(event["actor"])
    event["event_id"] = bytes.fromhex(event["event_id"].replace("-", ""))
    layout = bytes([sum(1 << bit for bit, name in enumerate(ABSENT) if event[name] is None)]) + before + digest
    layout += struct.pack(">qq16siqqhq", *(event[name] or 0 for name in NUMBERS))
    return sha256(layout + struct.pack(">5I", *map(len, texts)) + b"".join(texts)).digest()


def main(folder: Path) -> str:
    listed = (folder / "SHA256SUMS").read_bytes().decode().splitlines(keepends=True)
    sums = {f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in folder.iterdir() if path.is_file()}
    wrong = sorted({line[66:].strip() for line in sums ^ {*listed}} - {"SHA256SUMS"})
    require(not wrong, f"{', '.join(wrong)} is not as it was written")
    _, start, *hashes = (folder / "chain.txt").read_text().split()
    after, before, version, last, gone, event = int(start), bytes(32), 0, int(start), dict[int, Any](), dict[str, Any]()
    with (folder / "events.jsonl").open("rb") as file:
        header, so_far, witnesses = json.loads(line := file.readline()), sha256(line), {0: ("", bytes(32).hex())}
        while not (line := file.readline() or b'{"end":').startswith(b'{"end":'):
            event, version = json.loads(line), version + 1
            so_far.update(line)
            named, gone[version] = re.findall(r'\{"\$attachment":"([\da-f]{64})"', event["data"] or ""), event["digest"]
            right = all(f"{name}  attachment-{name}\n" in listed for name in named) and event["position"] > last
            before, last = hash_of(event, before, bytes.fromhex(header["salt"] or "")), event["position"]
            found = (event["session_id"], event["version"], event["hash"], *hashes[event["position"] - after - 1 :][:1])
            require(right and found == (header["session_id"], version, *[before.hex()] * 2), f"version {version}")
            told: dict[str, Any] = json.loads(event["data"] or "{}") if event["type"].endswith("-compacted") else {}
            runs: list[dict[str, Any]] = told.get("pieces", told.get("runs", []))
            stood = [at for r in runs for at in range(version)[r["first"] :][: r.get("count") or len(r["sizes"])]]
            if told and sha256(bytes.fromhex("".join(gone[at] or "" for at in stood))).hexdigest() == told["digest"]:
                gone.update(dict.fromkeys(stood))
        end = b'{"end":{"events":%d,"sha256":"%s"}}\n' % (version, so_far.hexdigest().encode())
        require(line + file.read(1) == end, f"the end, after version {version}")
    require(event.get("type") == "session-erased" or not any(gone.values()), f"content up to version {version}")
    found_keys = (base64.b64decode(path.read_text().split("\n")[1])[-32:] for path in folder.glob("key*.pub"))
    keys = {sha256(key).hexdigest()[:16]: key for key in found_keys}
    for line in (folder / "checkpoints.jsonl").read_bytes().splitlines():
        each, (body, _, rest) = json.loads(line), line.rpartition(b',"signature":"')
        right = signed(keys[each["key"]], b"holdfast checkpoint 1\n" + body, bytes.fromhex(rest[:-2].decode()))
        require(right and each["store"] == header["store"], f"the checkpoint at position {each['position']}")
        witnesses[each["position"]] = (each["hash"], each["log_hash"])
    covered, log_hash = max(at for at in witnesses if at <= after + len(hashes)), bytes.fromhex(witnesses[after][1])
    for position, each in enumerate(hashes, after + 1):
        log_hash = sha256(log_hash + bytes.fromhex(each)).digest()
        require(witnesses.get(position) in (None, (each, log_hash.hex())), f"the log up to {position}")
    return f"ok: {version} events, the last at position {last}; signed up to position {covered} by {sorted(keys)}"


if __name__ == "__main__":
    try:
        print(main(Path(*(sys.argv[1:] or [str(Path(__file__).parent)]))))
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError, struct.error) as error:
        sys.exit(f"bad: {error}")

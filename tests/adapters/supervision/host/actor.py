"""An agent that does what it is told, one command a line, and tells that it has. Standard library only."""
# ruff: noqa: C901, PTH109, PTH208  # one command a case; started too often to import more

import json
import os
import signal
import sys


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def fork(*, leave: bool, forget: bool = False) -> int:
    """Start something that waits for ever; with `leave` in a session of its own and without us as its parent."""
    told, tell = os.pipe()
    if os.fork() == 0:
        if leave:
            os.setsid()
            if os.fork():
                os._exit(0)
        os.write(tell, str(os.getpid()).encode())
        if forget:
            os.execve(sys.executable, [sys.executable, "-ISc", "import signal; signal.pause()"], {})
        signal.pause()
    if leave:
        os.wait()
    return int(os.read(told, 20))


def obey(line: str) -> None:
    verb, _, rest = line.partition(" ")
    match verb:
        case "echo":
            say(rest)
        case "half":
            sys.stdout.write(rest)
            sys.stdout.flush()
        case "lines":
            count, size = map(int, rest.split())
            for number in range(count):
                say(f"{number:08d}".ljust(size, "."))
        case "long":
            for _ in range(int(rest) >> 20):
                sys.stdout.write("x" * (1 << 20))
            say("")
        case "garbage":
            sys.stdout.buffer.write(bytes(range(256)) * 64 + b"\n")
            sys.stdout.buffer.flush()
        case "errors":
            for _ in range(int(rest) >> 16):
                os.write(2, b"e" * (1 << 16))
            os.write(2, b"the end")
            say("complained")
        case "deaf":
            say("deaf")
            signal.pause()
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            say("stubborn")
        case "child":
            say(str(fork(leave=False)))
        case "stray":
            say(str(fork(leave=True)))
        case "forgetful":
            say(str(fork(leave=True, forget=True)))
        case "exit":
            os._exit(int(rest))
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "where":
            say(
                json.dumps(
                    {
                        "cwd": os.getcwd(),
                        "environment": dict(os.environ),
                        "files": sorted(map(int, os.listdir("/proc/self/fd"))),
                        "session": os.getsid(0),
                        "group": os.getpgrp(),
                        "pid": os.getpid(),
                        "arguments": sys.argv[1:],
                        "umask": os.umask(0o22),
                    }
                )
            )
        case _:
            say(f"what is {verb}?")


for line in sys.stdin:
    obey(line.rstrip("\n"))
if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
    say("the end of input means nothing")
    while True:
        signal.pause()

"""An agent that writes down every line it gets, and numbers every line it says. Standard library only.

A prompt is answered by two updates and a question; the answer to the question by one more update and the response.
"""

import itertools
import json
import sys
from pathlib import Path

numbers = itertools.count()
prompts: dict[int, str] = {}


def say(**words: object) -> None:
    sys.stdout.write(json.dumps({"number": next(numbers), **words}) + "\n")
    sys.stdout.flush()


with Path(sys.argv[1]).open("a", buffering=1) as received:
    for line in sys.stdin:
        received.write(line)
        told = json.loads(line)
        match told:
            case {"prompt": prompt, "id": key}:
                say(update=prompt)
                say(update=prompt)
                prompts[prompt] = key
                say(question=prompt)
            case {"answer": prompt}:
                say(update=prompt)
                say(response=prompts[prompt], prompt=prompt)
            case _:
                say(misunderstood=told)

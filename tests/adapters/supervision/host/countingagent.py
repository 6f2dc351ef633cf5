"""An agent that writes down every line it gets, and numbers every line it says. Standard library only.

A prompt is answered by two updates and a question; the answer to the question by one more update and the response.
"""

import json
import sys

number = 0
prompts = {}


def say(**words: object) -> None:
    global number
    sys.stdout.write(json.dumps({"number": number, **words}) + "\n")
    sys.stdout.flush()
    number += 1


with open(sys.argv[1], "a", buffering=1) as received:
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

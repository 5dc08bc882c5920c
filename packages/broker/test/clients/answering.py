"""What the scripts around Python clients have in common: they ask once for each line that they read."""

import json
import sys
import traceback


def answer(ask):
    """Prints a line of JSON each time: what came, or what Python prints of an error, its causes with it."""
    for _ in sys.stdin:
        try:
            got = ask()
        except Exception:
            got = {"error": traceback.format_exc()}
        print(json.dumps(got), flush=True)

"""train.py, with a signal to itself at the k-th call of a function: `driver.py SIGNAL FUNCTION K DELAY OPTIONS...`.

TORN in place of a signal writes half a line of metrics and is killed.
"""

import functools
import importlib
import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path

from breaking import at_call

TRAIN = Path(__file__).resolve().parents[2] / "experiments" / "train.py"
sys.path.insert(0, str(TRAIN.parent))


def find(dotted):
    """The object that holds a function, and the function's name: of `a.b:C.f` it is C in a.b, and f."""
    module, names = dotted.split(":")
    *holders, name = names.split(".")
    return functools.reduce(getattr, holders, importlib.import_module(module)), name


def tear(run_dir):
    with Path(run_dir, "metrics.jsonl").open("a") as lines:
        lines.write('{"step": 9, "spl')
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    kind, dotted, count, delay, *options = sys.argv[1:]
    sys.argv = [str(TRAIN), *options]
    import train

    if kind == "TORN":
        act = functools.partial(tear, options[options.index("--run-dir") + 1])
    elif float(delay):
        kill = functools.partial(os.kill, os.getpid(), signal.Signals[kind])
        act = threading.Timer(float(delay), kill).start
    else:
        act = functools.partial(os.kill, os.getpid(), signal.Signals[kind])
    holder, name = find(dotted)
    setattr(holder, name, at_call(int(count), act, getattr(holder, name)))
    train.run_script(train.main, train.Recipe)

"""Kill a training at random moments: `crash.py file epochs kills seed longest`.

To be run with ``tests`` in PYTHONPATH.

Each time a process of its own goes on from the file, and is killed as it has used a
random time of a processor, at most ``longest`` seconds: on a busy machine, too, that is
in the midst of it. Prints how many were killed before they had finished.
"""

import os
import random
import signal
import sys

from helpers import SMALL, make_domains

from skdann import DANNClassifier


def killed(fit, longest, rng):
    """Fit in a process of its own and kill it; return whether that was in time."""
    seconds = rng.uniform(0, longest)
    pid = os.fork()
    if pid == 0:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # Python handles no SIGPROF
        fit()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def main(path, n_epochs, n_kills, seed, longest):
    X, y, X_tgt, _ = make_domains()
    clf = DANNClassifier(
        **{**SMALL, "max_epochs": int(n_epochs), "dropout": 0.3},
        checkpoint=path,
        checkpoint_interval=1,
    )
    DANNClassifier(max_epochs=1).fit(X, y, X_tgt)  # loads what a first fit loads
    rng = random.Random(int(seed))
    n_killed = sum(
        killed(lambda: clf.fit(X, y, X_tgt, resume=True), float(longest), rng)
        for _ in range(int(n_kills))
    )
    print(n_killed)


if __name__ == "__main__":
    main(*sys.argv[1:])

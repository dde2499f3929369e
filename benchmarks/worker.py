"""A contender's own process: reads tasks, answers with seconds and bytes.

Started by :mod:`arena`, with the Python of the contender's environment. A line of JSON
in is a question, a line of JSON out its answer.
"""

import json
import os
import sys
import time
from dataclasses import replace


def main(name):
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    from contenders import CONTENDERS, Task

    cls, _ = CONTENDERS[name]
    for line in sys.stdin:
        question = json.loads(line)
        kind = question.pop("ask")
        try:
            answer = ASK[kind](cls, Task, question)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


def ask_ready(cls, task_class, question):
    limit_threads(question["threads"])
    cls(task_class(n_rows=256, steps=4)).fit(*task_class(n_rows=256, steps=4).data())
    return {}


def limit_threads(n):
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(n)


def ask_fit(cls, task_class, question):
    """Seconds of a fit; or of a step, which making and reading have no part in."""
    slope = question.pop("slope", False)
    seconds, steps = [], []
    for factor in (1, 3) if slope else (1,):
        task = task_class(**{k: as_tuple(v) for k, v in question.items()})
        task = replace(task, steps=factor * task.steps)
        data = task.data()
        contender = cls(task)
        start = time.perf_counter()
        steps.append(contender.fit(*data))
        seconds.append(time.perf_counter() - start)
    if not slope:
        return {"seconds": seconds[0]}
    return {"per_step": (seconds[1] - seconds[0]) / (steps[1] - steps[0])}


def ask_predict(cls, task_class, question):
    n_rows, repeat = question["n_rows"], question["repeat"]
    task = task_class(steps=100)
    contender = cls(task)
    contender.fit(*task.data())
    X = task_class(n_rows=n_rows).data()[0]
    contender.predict(X)
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        contender.predict(X)
        seconds.append(time.perf_counter() - start)
    return {"seconds": sorted(seconds)[repeat // 2]}


def ask_memory(cls, task_class, question):
    """Growth of the peak over what the imports and the data themselves take."""
    storage = question.pop("storage")
    task = task_class(**question)
    data = task.data() if storage == "dense" else STORAGE[storage](task)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts anew
    before = kibibytes("VmRSS")
    cls(task).fit(*data)
    return {"growth": 1024 * (kibibytes("VmHWM") - before)}


def kibibytes(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def sparse_data(task):
    """Two CSR matrices, one value in a hundred."""
    import numpy as np
    from scipy.sparse import random_array

    shape = task.n_rows, task.n_features
    X, X_tgt = (
        random_array(
            shape, density=0.01, format="csr", dtype=np.float32, random_state=seed
        )
        for seed in range(2)
    )
    return X, np.arange(task.n_rows) % 2, X_tgt


def memmap_data(task):
    """Two files of zeros, which take no room on the disk."""
    import tempfile

    import numpy as np

    shape = task.n_rows, task.n_features
    X, X_tgt = (
        np.memmap(tempfile.TemporaryFile(), np.float32, "w+", shape=shape)
        for _ in range(2)
    )
    return X, np.arange(task.n_rows) % 2, X_tgt


STORAGE = {"sparse": sparse_data, "memmap": memmap_data}


def as_tuple(value):
    return tuple(value) if isinstance(value, list) else value


ASK = {
    "ready": ask_ready,
    "fit": ask_fit,
    "predict": ask_predict,
    "memory": ask_memory,
}

if __name__ == "__main__":
    main(sys.argv[1])

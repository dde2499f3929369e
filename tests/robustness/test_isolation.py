"""The library stays where it is: no network, no other program, no library unasked."""

import json
import sys
import textwrap

import children
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its calls are others")

GUARD = """
import json, sys

import numpy.testing  # which in numpy 1.26 asks lscpu as it is imported
import threadpoolctl  # which asks ldconfig once, up to 3.1
import torch  # whose builds for CUDA ask ldconfig on Python 3.13

threadpoolctl.ThreadpoolController()

GUARDED = (
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.sendto", "http.client.connect", "urllib.Request", "ftplib.connect",
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    "os.forkpty", "pty.spawn",
)
tried = []  # whoever catches the error has tried all the same

def guard(event, args):
    if event in GUARDED:
        tried.append(event)
        raise PermissionError(event)

sys.addaudithook(guard)
"""

# Each guarded call once: had the guard let it through, it would not be in the list.
CONTROL = """
tried_by_script, tried = tried, []

import ftplib, http.client, os, pty, socket, subprocess, urllib.request

here, program = ("127.0.0.1", 9), [sys.executable, "-c", ""]
for attempt in (
    lambda: socket.socket().connect(here),
    lambda: socket.socket().bind(here),
    lambda: socket.getaddrinfo("localhost", 9),
    lambda: socket.gethostbyname("localhost"),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"", here),
    lambda: http.client.HTTPConnection(*here).connect(),
    lambda: urllib.request.urlopen("http://localhost:9"),
    lambda: ftplib.FTP("localhost"),
    lambda: subprocess.run(program),
    lambda: os.system("true"),
    lambda: os.execv(program[0], program),
    lambda: os.posix_spawn(program[0], program, {}),
    os.fork,
    os.forkpty,
    lambda: pty.spawn(program),
):
    try:
        attempt()
    except PermissionError:
        pass
assert tried == list(GUARDED), tried
print(json.dumps(tried_by_script))
"""


def calls_outside(script):
    """Run a script, guarded, in a process of its own; return what it tried.

    A new one: what skdann imports, then or later, is among what is guarded.
    """
    done = children.run("-c", GUARD + textwrap.dedent(script) + CONTROL)
    return json.loads(done.stdout)


def test_importing_fitting_predicting_and_searching_reach_for_nothing_outside():
    """Importing brings nothing either that not everybody needs."""
    calls = calls_outside("""
        import skdann

        of_displays_and_data = {"matplotlib", "PIL", "pooch"}
        of_clusters_and_exports = {"distributed", "dask", "onnx", "onnxruntime", "dill"}
        assert not of_displays_and_data & set(sys.modules)
        assert not of_clusters_and_exports & set(sys.modules)

        import numpy as np
        import sklearn
        from sklearn.model_selection import GridSearchCV, cross_val_score
        from skdann import DANNClassifier, datasets, inspection, metrics
        from skdann.model_selection import DANNGridSearchCV

        X = np.random.default_rng(0).normal(size=(60, 2))
        y, X_tgt, grid = (X[:, 0] > 0).astype(int), X + 1, {"lambda_max": [0, 0.5]}
        clf = DANNClassifier(max_epochs=2, random_state=0)
        clf.fit(X, y, X_tgt)
        clf.predict(X), clf.transform(X), clf.predict_domain(X)
        clf.partial_fit(X, y, X_tgt)
        clf.set_params(n_estimators=1, standardize="source", target_prior=None)
        DANNGridSearchCV(clf, grid, cv=2).fit(X, y, X_tgt=X_tgt).predict(X)
        with sklearn.config_context(enable_metadata_routing=True):
            GridSearchCV(clf, grid, cv=2, n_jobs=1).fit(X, y, X_tgt=X_tgt).predict(X)
            cross_val_score(clf, X, y, params={"X_tgt": X_tgt}, cv=2)
    """)
    assert calls == []


def test_the_guard_counts_what_is_caught():
    calls = calls_outside("""
        import contextlib, socket

        with contextlib.suppress(OSError):
            socket.create_connection(("localhost", 9))
    """)
    assert calls == ["socket.getaddrinfo"]

"""Small data in files, a server of them on this machine, and a check of loaders."""

import functools
import hashlib
import http.server
import io
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from skdann.datasets import _cache

rng = np.random.default_rng(0)


def tables(domains, shape, n_classes, *, dtype, prefix="", **more):
    """Return random whole numbers and labels of each domain."""
    arrays = {name: np.array(value) for name, value in more.items()}
    for domain in domains:
        X = rng.integers(5, size=shape).astype(dtype)
        arrays[f"X_{prefix}{domain}"] = X
        arrays[f"y_{prefix}{domain}"] = (np.arange(shape[0]) % n_classes).astype("u1")
    return arrays


def npz(arrays):
    """Return the bytes of a file of numpy."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def make_folder(folder, files):
    """Write files, bytes by name; return the folder."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def digests_of(arrays, originals):
    """Return what is to be expected of small data and of their original files."""
    return {name: _cache._digest(content) for name, content in arrays.items()} | {
        name: hashlib.sha256(content).hexdigest()
        for name, content in originals.items()
        if name in _cache.DIGESTS
    }


@contextmanager
def serving(folder):
    """Serve a folder; yield its address and the requests that it had."""
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(self.path)

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # its end is waited for until it looks again
        serve = functools.partial(server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", requests
        server.shutdown()


def check_loader(fetch, options, shape, dtype):
    """Check what a loader returns, and that it refuses another domain or subset."""
    bunch = fetch(**options)
    assert (bunch.data.shape, bunch.data.dtype) == (shape, np.dtype(dtype))
    assert bunch.target.shape == shape[:1]
    assert bunch.target.dtype == np.int64
    assert bunch.target.max() < len(bunch.target_names)
    assert bunch.DESCR
    X, y = fetch(**options, return_X_y=True)
    assert (bunch.data != X).sum() == 0
    np.testing.assert_array_equal(y, bunch.target)
    name = "domain" if "domain" in options else "subset"
    with pytest.raises(ValueError, match=f"{name} must be one of"):
        fetch(**{name: "elsewhere"})

"""Data that are made, and data that come by a server, which here is a real one."""

import functools
import hashlib
import http.server
import io
import subprocess
import sys
import threading
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from scipy import sparse

from skdann import DANNClassifier, datasets
from skdann.datasets import _cache

rng = np.random.default_rng(0)


def _photographs():
    """Three photographs larger than a digit, as JPEG files one after another."""
    files = []
    for _ in range(3):
        file = io.BytesIO()
        pixels = rng.integers(256, size=(40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, "jpeg")
        files.append(file.getvalue())
    offsets = np.cumsum([0, *map(len, files)])
    return np.frombuffer(b"".join(files), np.uint8), offsets


def _reviews():
    arrays = {"n_features": np.int64(5000)}
    for domain in ("books", "dvd", "electronics", "kitchen"):
        for subset, n in (("train", 6), ("test", 4)):
            arrays |= {
                f"{domain}_{subset}_data": np.full(2 * n, 3, np.uint8),
                f"{domain}_{subset}_indices": np.arange(2 * n, dtype=np.uint16),
                f"{domain}_{subset}_indptr": np.arange(n + 1, dtype=np.int32) * 2,
                f"{domain}_{subset}_y": (np.arange(n) % 2).astype(np.uint8),
            }
    return arrays


def _tables(domains, shape, n_classes, *, dtype, prefix="", **more):
    arrays = {name: np.array(value) for name, value in more.items()}
    for domain in domains:
        X = rng.integers(5, size=shape).astype(dtype)
        arrays[f"X_{prefix}{domain}"] = X
        arrays[f"y_{prefix}{domain}"] = (np.arange(shape[0]) % n_classes).astype("u1")
    return arrays


def _census():
    columns = ["workclass", "education", "marital-status", "occupation"]
    columns += ["relationship", "race", "sex", "native-country"]
    codes = np.zeros((5, 8), np.uint8)
    codes[:, 6] = [0, 1, 1, 0, 1]
    return {
        "X_num": np.arange(30, dtype=np.int32).reshape(5, 6),
        "X_cat": codes,
        "y": np.array([0, 1, 0, 1, 1], np.uint8),
        "num_names": np.array(["age", "fnlwgt", "education-num", "a", "b", "c"]),
        "cat_names": np.array(columns),
        **{f"cats_{c.replace('-', '_')}": np.array(["one", "two"]) for c in columns},
        "cats_sex": np.array(["Female", "Male"]),
    }


@pytest.fixture(scope="module")
def files():
    """Small files of the shapes of the real ones."""
    jpeg_bytes, offsets = _photographs()
    digits = {"shape": (5, 28, 28), "n_classes": 10, "dtype": "u1"}
    names = [str(i) for i in range(10)]
    arrays = {
        "adult": _census(),
        "amazon_reviews": _reviews(),
        "bsds500_train_jpeg": {"jpeg_bytes": jpeg_bytes, "offsets": offsets},
        "gas_drift": _tables(
            (1, 2), (6, 128), 6, dtype="f4", prefix="batch", class_names=names[:6]
        ),
        "heart_disease_hospitals": _tables(
            ("cleveland", "va"),
            (4, 13),
            2,
            dtype="f4",
            feature_names=list("abcdefghijklm"),
        ),
        "mnist": _tables(("train", "test"), **digits),
        "mnist_usps_256": _tables(("mnist", "usps"), (4, 256), 10, dtype="f4"),
        "mnistm_official_test": _tables(("test",), (3, 32, 32, 3), 10, dtype="u1"),
        "office_caltech_surf": _tables(
            ("amazon", "dslr"), (4, 800), 10, dtype="u1", class_names=names
        ),
        "phishing": {
            "X": rng.integers(-1, 2, size=(6, 30)).astype("i1"),
            "y": np.array([0, 1, 0, 1, 0, 1], np.uint8),
            "domain": np.array([0, 0, 1, 1, 1, 1], np.uint8),
            "feature_names": np.array([f"column {i}" for i in range(30)]),
        },
        "usps": _tables(("train", "test"), (3, 16, 16), 10, dtype="u2"),
    }
    packed = {}
    for name, content in arrays.items():
        file = io.BytesIO()
        np.savez_compressed(file, **content)
        packed[name] = file.getvalue()
    return packed


@pytest.fixture
def served(files, tmp_path, monkeypatch):
    """A folder that a server on this machine serves; the requests that it had."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in files.items():
        (folder / f"{name}.npz").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        monkeypatch.setitem(_cache.HASHES, f"{name}.npz", sha256)
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(self.path)

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setenv("SKDANN_DATA_URL", address)
        monkeypatch.setenv("SKDANN_DATA", str(tmp_path / "cache"))
        yield folder, requests
        server.shutdown()


def test_files_are_downloaded_once(served, tmp_path):
    folder, requests = served
    first = datasets.fetch_gas_drift(1)
    assert (tmp_path / "cache" / "gas_drift.npz").exists()
    (folder / "gas_drift.npz").unlink()  # the second time nobody asks for it
    again = datasets.fetch_gas_drift(1)
    np.testing.assert_array_equal(first.data, again.data)
    assert len(requests) == 1


def test_a_folder_that_holds_the_files_is_used_as_it_is(served, tmp_path):
    folder, requests = served
    folder.chmod(0o500)
    X, y = datasets.fetch_phishing(data_home=folder, return_X_y=True)
    assert (X.shape, y.tolist()) == ((2, 30), [0, 1])
    assert requests == []
    assert not (tmp_path / "cache").exists()


def test_what_was_tampered_with_is_not_taken(served, tmp_path):
    folder, _ = served
    (folder / "usps.npz").write_bytes(b"something else")
    with pytest.raises(OSError, match=r"usps\.npz could not be downloaded .* hash"):
        datasets.fetch_usps()
    assert list((tmp_path / "cache").glob("*")) == []
    with pytest.raises(ValueError, match=r"usps\.npz is damaged or another file"):
        datasets.fetch_usps(data_home=folder)
    assert (folder / "usps.npz").read_bytes() == b"something else"


def test_without_a_network_the_error_says_what_to_do(served, monkeypatch):
    folder, _ = served
    (folder / "mnist.npz").unlink()
    with pytest.raises(OSError, match=r"404.*put the file into .*cache yourself"):
        datasets.fetch_mnist()
    monkeypatch.setenv("SKDANN_DATA_URL", "http://127.0.0.1:9/")  # nobody listens
    with pytest.raises(OSError, match="Without a network, put the file into"):
        datasets.fetch_mnist()
    with pytest.raises(FileNotFoundError, match="download_if_missing=True"):
        datasets.fetch_mnist(download_if_missing=False)


@pytest.mark.parametrize(
    ("fetch", "options", "shape", "dtype"),
    [
        (datasets.fetch_amazon_reviews, {"domain": "dvd"}, (6, 5000), "f4"),
        (datasets.fetch_amazon_reviews, {"subset": "test"}, (4, 5000), "f4"),
        (datasets.fetch_office_caltech, {"domain": "dslr"}, (4, 800), "f8"),
        (datasets.fetch_gas_drift, {"domain": 2}, (6, 128), "f4"),
        (datasets.fetch_heart_disease, {"domain": "va"}, (4, 13), "f4"),
        (datasets.fetch_adult, {"domain": "men"}, (3, 14), "f8"),
        (datasets.fetch_adult, {"domain": "women"}, (2, 14), "f8"),
        (datasets.fetch_phishing, {"domain": "name"}, (4, 30), "f8"),
        (datasets.fetch_mnist_usps, {"domain": "usps"}, (4, 256), "f4"),
        (datasets.fetch_mnist, {"subset": "test"}, (5, 1, 28, 28), "u1"),
        (datasets.fetch_usps, {}, (3, 1, 16, 16), "f4"),
        (datasets.fetch_mnist_m, {}, (5, 3, 28, 28), "u1"),
        (datasets.fetch_mnist_m, {"subset": "test"}, (3, 3, 28, 28), "u1"),
    ],
)
def test_every_loader_reads_its_file(served, fetch, options, shape, dtype):
    bunch = fetch(**options)
    assert (bunch.data.shape, bunch.data.dtype) == (shape, np.dtype(dtype))
    assert bunch.target.shape == shape[:1]
    assert bunch.target.dtype == np.int64
    assert bunch.target.max() < len(bunch.target_names)
    assert bunch.DESCR
    X, y = fetch(**options, return_X_y=True)
    assert (bunch.data != X).sum() == 0
    np.testing.assert_array_equal(y, bunch.target)
    with pytest.raises(
        ValueError, match=f"{next(iter(options), 'subset')} must be one"
    ):
        fetch(**{next(iter(options), "subset"): "elsewhere"})


def test_reviews_are_counts_in_a_sparse_matrix(served):
    X = datasets.fetch_amazon_reviews("kitchen").data
    assert sparse.issparse(X)
    assert X[1].toarray().nonzero()[1].tolist() == [2, 3]
    assert X.max() == 3


def test_the_census_is_split_by_sex_and_keeps_its_categories(served):
    men = datasets.fetch_adult("men")
    assert men.data[:, men.feature_names.index("age")].tolist() == [6, 12, 24]
    assert men.categories["sex"] == ["Female", "Male"]
    assert men.target.tolist() == [1, 0, 1]


def test_digits_are_blended_with_photographs(served):
    digits = datasets.fetch_mnist().data
    first, again = datasets.fetch_mnist_m().data, datasets.fetch_mnist_m().data
    other = datasets.fetch_mnist_m(random_state=1).data
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    photographs = _decoded(served)
    for image, digit in zip(first, digits, strict=True):
        assert any(_contains(p, image, digit) for p in photographs)


def _decoded(served):
    folder, _ = served
    with np.load(folder / "bsds500_train_jpeg.npz") as arrays:
        files, offsets = arrays["jpeg_bytes"], arrays["offsets"]
    return [
        np.asarray(Image.open(io.BytesIO(files[a:b].tobytes())))
        for a, b in pairwise(offsets)
    ]


def _contains(photograph, image, digit):
    """Whether image is abs(digit - patch) of some patch of the photograph."""
    windows = np.lib.stride_tricks.sliding_window_view(photograph, (28, 28), (0, 1))
    expected = np.abs(windows.astype(int) - digit)  # (top, left, color, 28, 28)
    return (expected == image).all(axis=(2, 3, 4)).any()


def test_a_missing_library_is_named():
    code = (
        "import sys; sys.modules['pooch'] = None\n"
        "from skdann.datasets import fetch_usps\n"
        "fetch_usps(data_home='nowhere')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "pip install 'skdann[datasets]'" in result.stderr


def test_the_target_of_the_moons_is_turned():
    X, y, X_tgt, y_tgt = datasets.make_shifted_moons(random_state=0)
    same = datasets.make_shifted_moons(rotation=0, random_state=0)
    angle = np.deg2rad(35)
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    np.testing.assert_allclose(X_tgt, same[2] @ np.transpose(turn))
    np.testing.assert_array_equal(X, same[0])
    np.testing.assert_array_equal(y_tgt, same[3])
    assert not np.allclose(X, same[2])  # a fresh draw
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
    assert np.bincount(y).tolist() == [150, 150]


def test_moons_without_noise_lie_on_half_circles_of_radius_two():
    X, y, _, _ = datasets.make_shifted_moons(100, noise=0, random_state=0)
    center = X[y == 0].mean(axis=0)
    upper = X[y == 0]
    width = upper[:, 0].max() - upper[:, 0].min()
    assert width == pytest.approx(4)
    assert center[1] > X[y == 1].mean(axis=0)[1]


@pytest.mark.parametrize("bad", [{"n_samples": 1}, {"noise": -1}, {"rotation": "x"}])
def test_moons_refuse_what_makes_no_sense(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        datasets.make_shifted_moons(**bad)


def test_adapting_helps_on_the_moons():
    X, y, X_tgt, y_tgt = datasets.make_shifted_moons(random_state=0)
    source_only = DANNClassifier(lambda_max=0, random_state=0).fit(X, y)
    adapted = DANNClassifier(random_state=0).fit(X, y, X_tgt)
    assert adapted.score(X_tgt, y_tgt) > source_only.score(X_tgt, y_tgt) + 0.05

"""Data that are made, and data that come by a server, which here is a real one."""

import functools
import gzip
import hashlib
import http.server
import io
import subprocess
import sys
import tarfile
import threading
import zipfile
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from scipy import sparse

from skdann import DANNClassifier, datasets
from skdann.datasets import _cache, _sources

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


def _svmlight(X, y, first):
    """Rows in the format of svmlight, columns counted from ``first``."""
    return "".join(
        f"{label} " + " ".join(f"{j + first}:{v:g}" for j, v in enumerate(row)) + "\n"
        for row, label in zip(X, y, strict=True)
    )


def _packed(arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def _photographs_archive(arrays):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for i, (start, stop) in enumerate(pairwise(arrays["offsets"])):
            content = arrays["jpeg_bytes"][start:stop].tobytes()
            info = tarfile.TarInfo(f"BSR/BSDS500/data/images/train/{i}.jpg")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        archive.addfile(tarfile.TarInfo("BSR/BSDS500/data/images/test/9.jpg"))
    return file.getvalue()


@pytest.fixture(scope="module")
def arrays():
    """Small data of the shapes of the real ones."""
    jpeg_bytes, offsets = _photographs()
    digits = {"shape": (5, 28, 28), "n_classes": 10, "dtype": "u1"}
    names = [str(i) for i in range(10)]
    gas = {"shape": (6, 128), "n_classes": 6, "dtype": "f4", "prefix": "batch"}
    gases = ["Ethanol", "Ethylene", "Ammonia", "Acetaldehyde", "Acetone", "Toluene"]
    patients = {"shape": (4, 13), "n_classes": 2, "dtype": "f4"}
    hospitals = ("cleveland", "hungarian", "switzerland", "va")
    return {
        "adult": _census(),
        "amazon_reviews": _reviews(),
        "bsds500_train_jpeg": {"jpeg_bytes": jpeg_bytes, "offsets": offsets},
        "gas_drift": _tables((1, 2, 3, 4, 5, 6, 8, 9), **gas, class_names=gases),
        "heart_disease_hospitals": _tables(
            hospitals, **patients, feature_names=list("abcdefghijklm")
        ),
        "mnist": _tables(("train", "test"), **digits),
        "mnist_usps_256": _tables(("mnist", "usps"), (4, 256), 10, dtype="f4"),
        "mnistm_official_test": _tables(("test",), (3, 32, 32, 3), 10, dtype="u1"),
        "office_caltech_surf": _tables(
            ("amazon", "dslr"), (4, 800), 10, dtype="u1", class_names=names
        ),
        "phishing": {
            "X": np.repeat(np.array([[-1], [1], [1]], np.int8), [2, 1, 3], axis=0)
            * np.ones(30, np.int8),
            "y": np.array([0, 1, 0, 1, 0, 1], np.uint8),
            "domain": np.array([0, 0, 1, 1, 1, 1], np.uint8),
            "feature_names": np.array([f"column{i}" for i in range(30)]),
        },
        "usps": _tables(("train", "test"), (3, 16, 16), 10, dtype="u2"),
    }


@pytest.fixture(scope="module")
def originals(arrays):
    """The same data in the formats of their publishers, by the names of the files."""
    files = {}
    census = arrays["adult"]
    rows = []
    for numbers, codes, more in zip(
        census["X_num"], census["X_cat"], census["y"], strict=True
    ):
        work, *rest = (
            census[f"cats_{name.replace('-', '_')}"][code]
            for name, code in zip(census["cat_names"], codes, strict=True)
        )
        age, weight, years, gain, loss, hours = numbers
        education, *middle, country = rest
        rows.append(
            [
                age,
                work,
                weight,
                education,
                years,
                *middle,
                gain,
                loss,
                hours,
                country,
                ">50K" if more else "<=50K",
            ]
        )
    lines = [", ".join(map(str, row)) for row in rows]
    files["adult.data"] = "\n".join(lines[:2]) + "\n\n"
    files["adult.test"] = "|1x3 Cross validator\n" + ".\n".join(lines[2:]) + ".\n\n"
    reviews = arrays["amazon_reviews"]
    for name in ("books", "dvd", "electronics", "kitchen"):
        for subset in ("train", "test"):
            part = f"{name}_{subset}"
            X = sparse.csr_matrix(
                tuple(reviews[f"{part}_{k}"] for k in ("data", "indices", "indptr")),
                shape=(len(reviews[f"{part}_y"]), 5000),
            )
            files[f"{part}.svmlight"] = "".join(
                f"{2 * int(y) - 1} "
                + " ".join(f"{j}:{X[i, j]}" for j in X[i].nonzero()[1])
                + "\n"
                for i, y in enumerate(reviews[f"{part}_y"])
            )
    files["BSR_bsds500.tgz"] = _photographs_archive(arrays["bsds500_train_jpeg"])
    gas = arrays["gas_drift"]
    files["gas+sensor+array+drift+dataset.zip"] = _zipped(
        {
            f"Dataset/batch{k}.dat": _svmlight(
                gas[f"X_batch{k}"], gas[f"y_batch{k}"] + 1, 1
            )
            for k in (1, 2, 3, 4, 5, 6, 8, 9)
        }
    )
    hearts = arrays["heart_disease_hospitals"]
    for name in ("cleveland", "hungarian", "switzerland", "va"):
        rows = np.column_stack([hearts[f"X_{name}"], 3.0 * hearts[f"y_{name}"]])
        kind, blank, missing = "processed", ",", "?"
        if name == "hungarian":
            kind, blank, missing = "reprocessed", " ", "-9"
        files[f"{kind}.{name}.data"] = "".join(
            blank.join(missing if v == 4 else f"{v:g}" for v in row) + "\n"
            for row in rows
        )
    digits = {name.lower(): values for name, values in arrays["mnist"].items()}
    files["keras-mnist.npz"] = _packed(digits)
    sites = arrays["phishing"]
    heading = "@relation phishing\n\n" + "".join(
        f"@attribute {name}  {{ -1,1 }}\n"
        for name in [*sites["feature_names"], "Result"]
    )
    rows = np.column_stack([sites["X"], 2 * sites["y"].astype(int) - 1])
    body = "\n".join(",".join(map(str, row)) for row in rows)
    files["phishing+websites.zip"] = _zipped(
        {"Training Dataset.arff": f"{heading}\n\n@data\n{body}\n\n"}
    )
    for subset in ("train", "test"):
        pixels = arrays["usps"][f"X_{subset}"].reshape(3, 256) / 1000 - 1
        table = np.column_stack([arrays["usps"][f"y_{subset}"], pixels])
        lines = (" ".join(f"{v:.4f}" for v in row) + " \n" for row in table)
        files[f"zip.{subset}.gz"] = gzip.compress("".join(lines).encode())
    return {k: v.encode() if isinstance(v, str) else v for k, v in files.items()}


@pytest.fixture
def packed(arrays, tmp_path, monkeypatch):
    """A folder with a packed file of each data set."""
    folder = tmp_path / "packed"
    folder.mkdir()
    for name, content in arrays.items():
        (folder / f"{name}.npz").write_bytes(_packed(content))
        monkeypatch.setitem(_cache.DIGESTS, name, _cache._digest(content))
    return folder


@pytest.fixture
def served(arrays, originals, tmp_path, monkeypatch):
    """A folder that a server on this machine serves; the requests that it had."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in originals.items():
        (folder / name).write_bytes(content)
    for name, files in _sources.SOURCES.items():
        hashes = [
            file.hash and hashlib.sha256(originals[file.name]).hexdigest()
            for file in files
        ]
        pairs = zip(files, hashes, strict=True)
        small = [_sources.File(f.name, f.address, sha256) for f, sha256 in pairs]
        monkeypatch.setitem(_sources.SOURCES, name, small)
        monkeypatch.setitem(_cache.DIGESTS, name, _cache._digest(arrays[name]))
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
    first = datasets.fetch_usps()
    names = sorted(path.name for path in (tmp_path / "cache").iterdir())
    assert names == ["zip.test.gz", "zip.train.gz"]
    for name in names:
        (folder / name).unlink()  # the second time nobody asks for them
    again = datasets.fetch_usps()
    np.testing.assert_array_equal(first.data, again.data)
    assert len(requests) == 2


def test_a_folder_that_holds_the_files_is_used_as_it_is(packed):
    packed.chmod(0o500)
    X, y = datasets.fetch_phishing(data_home=packed, return_X_y=True)
    assert (X.shape, y.tolist()) == ((2, 30), [0, 1])


def test_what_was_tampered_with_is_not_taken(served, tmp_path):
    folder, _ = served
    (folder / "adult.data").write_bytes(b"something else")
    with pytest.raises(OSError, match=r"adult\.data could not be downloaded .* hash"):
        datasets.fetch_adult()
    assert list((tmp_path / "cache").glob("*")) == []
    with pytest.raises(ValueError, match=r"adult\.data is damaged or another file"):
        datasets.fetch_adult(data_home=folder)
    assert (folder / "adult.data").read_bytes() == b"something else"


def test_what_has_no_published_hash_is_checked_by_its_numbers(served):
    folder, _ = served
    path = folder / "zip.train.gz"
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text.replace(b"-1.0000", b"-0.9000", 1)))
    with pytest.raises(ValueError, match="damaged or not those that are meant"):
        datasets.fetch_usps()


@pytest.mark.parametrize("damage", [lambda b: b[:-99], lambda b: b"", lambda b: b"no"])
def test_a_damaged_file_is_named(packed, served, damage):
    for path, fetch in (
        (packed / "usps.npz", datasets.fetch_usps),
        (served[0] / "phishing+websites.zip", datasets.fetch_phishing),
        (served[0] / "BSR_bsds500.tgz", datasets.fetch_mnist_m),
    ):
        path.write_bytes(damage(path.read_bytes()))
        if path.name.startswith("BSR"):  # it needs MNIST beside it
            (path.parent / "mnist.npz").write_bytes((packed / "mnist.npz").read_bytes())
        with pytest.raises(
            ValueError, match=f"{path.name[:4]}.*(can't be read|damaged)"
        ):
            fetch(data_home=path.parent)


def test_without_a_network_the_error_says_what_to_do(served, monkeypatch):
    folder, _ = served
    (folder / "keras-mnist.npz").unlink()
    with pytest.raises(OSError, match=r"404.*put the file into .*cache yourself"):
        datasets.fetch_mnist()
    monkeypatch.setenv("SKDANN_DATA_URL", "http://127.0.0.1:9/")  # nobody listens
    with pytest.raises(OSError, match="Without a network, put the file into"):
        datasets.fetch_mnist()
    with pytest.raises(FileNotFoundError, match="download_if_missing=True"):
        datasets.fetch_mnist(download_if_missing=False)
    with pytest.raises(FileNotFoundError, match="nobody serves these data"):
        datasets.fetch_office_caltech()


def test_addresses_are_those_of_the_publishers():
    for files in _sources.SOURCES.values():
        for file in files:
            assert file.address.startswith("https://")
            assert file.hash is None or len(file.hash.removeprefix("md5:")) in (32, 64)
    assert set(_sources.READERS) == set(_sources.SOURCES) < set(_cache.DIGESTS)


@pytest.mark.parametrize(
    "fetch",
    [
        datasets.fetch_adult,
        datasets.fetch_amazon_reviews,
        datasets.fetch_gas_drift,
        datasets.fetch_mnist,
        datasets.fetch_mnist_m,
        datasets.fetch_phishing,
        datasets.fetch_usps,
    ],
)
def test_the_publishers_files_hold_what_the_packed_ones_do(served, packed, fetch):
    downloaded, local = fetch(), fetch(data_home=packed)
    for path in served[0].iterdir():
        path.unlink()
    assert (downloaded.data != fetch().data).sum() == 0
    assert (downloaded.data != local.data).sum() == 0
    np.testing.assert_array_equal(downloaded.target, local.target)
    assert downloaded.target_names == local.target_names


@pytest.mark.parametrize("hospital", ["hungarian", "va"])
def test_what_was_not_measured_is_nan(served, arrays, hospital):
    X = datasets.fetch_heart_disease(hospital).data
    expected = arrays["heart_disease_hospitals"][f"X_{hospital}"].copy()
    expected[expected == 4] = np.nan  # so it was written to the file
    np.testing.assert_array_equal(X, expected)


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
def test_every_loader_reads_its_file(packed, fetch, options, shape, dtype):
    options = {**options, "data_home": packed}
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


def test_reviews_are_counts_in_a_sparse_matrix(packed):
    X = datasets.fetch_amazon_reviews("kitchen", data_home=packed).data
    assert sparse.issparse(X)
    assert X[1].toarray().nonzero()[1].tolist() == [2, 3]
    assert X.max() == 3


def test_the_census_is_split_by_sex_and_keeps_its_categories(packed):
    men = datasets.fetch_adult("men", data_home=packed)
    assert men.data[:, men.feature_names.index("age")].tolist() == [6, 12, 24]
    assert men.categories["sex"] == ["Female", "Male"]
    assert men.target.tolist() == [1, 0, 1]


def test_digits_are_blended_with_photographs(packed, arrays):
    where = {"data_home": packed}
    digits = datasets.fetch_mnist(**where).data
    first, again = (datasets.fetch_mnist_m(**where).data for _ in range(2))
    other = datasets.fetch_mnist_m(random_state=1, **where).data
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    files, offsets = arrays["bsds500_train_jpeg"].values()
    photographs = [
        np.asarray(Image.open(io.BytesIO(files[a:b].tobytes())))
        for a, b in pairwise(offsets)
    ]
    for image, digit in zip(first, digits, strict=True):
        assert 0 < digit[digit > 0].min() < 255  # of several grays; all count in full
        ink = np.where(digit > 0, 255, 0)
        assert any(_contains(p, image, ink) for p in photographs)


def _contains(photograph, image, ink):
    """Whether image is abs(ink - patch) of some patch of the photograph."""
    windows = np.lib.stride_tricks.sliding_window_view(photograph, (28, 28), (0, 1))
    expected = np.abs(windows.astype(int) - ink)  # (top, left, color, 28, 28)
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
    assert "pip install '.[datasets]'" in result.stderr


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

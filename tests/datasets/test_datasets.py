"""Data that are made, and data that come by a server, which here is a real one."""

import gzip
import io
import zipfile

import children
import numpy as np
import pytest
from helpers import PLAIN
from scipy import sparse
from sklearn.base import clone
from small_files import check_loader, digests_of, make_folder, npz, serving, tables

from skdann import DANNClassifier, datasets
from skdann.datasets import _cache, _sources


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


def _zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture(scope="module")
def arrays():
    """Small data of the shapes of the real ones."""
    digits = {"shape": (5, 28, 28), "n_classes": 10, "dtype": "u1"}
    gas = {"shape": (6, 128), "n_classes": 6, "dtype": "f4", "prefix": "batch"}
    gases = ["Ethanol", "Ethylene", "Ammonia", "Acetaldehyde", "Acetone", "Toluene"]
    patients = {"shape": (4, 13), "n_classes": 2, "dtype": "f4"}
    hospitals = ("cleveland", "hungarian", "switzerland", "va")
    return {
        "adult": _census(),
        "amazon_reviews": _reviews(),
        "gas_drift": tables((1, 2, 3, 4, 5, 6, 8, 9), **gas, class_names=gases),
        "heart_disease_hospitals": tables(
            hospitals, **patients, feature_names=list("abcdefghijklm")
        ),
        "mnist": tables(("train", "test"), **digits),
        "phishing": {
            "X": np.repeat(np.array([[-1], [1], [1]], np.int8), [2, 1, 3], axis=0)
            * np.ones(30, np.int8),
            "y": np.array([0, 1, 0, 1, 0, 1], np.uint8),
            "domain": np.array([0, 0, 1, 1, 1, 1], np.uint8),
            "feature_names": np.array([f"column{i}" for i in range(30)]),
        },
        "usps": tables(("train", "test"), (3, 16, 16), 10, dtype="u2"),
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
    files["keras-mnist.npz"] = npz(digits)
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
def small_digests(arrays, originals, monkeypatch):
    for name, digest in digests_of(arrays, originals).items():
        monkeypatch.setitem(_cache.DIGESTS, name, digest)


@pytest.fixture
def packed(arrays, small_digests, tmp_path):
    """A folder with a packed file of each data set."""
    files = {f"{name}.npz": npz(content) for name, content in arrays.items()}
    return make_folder(tmp_path / "packed", files)


@pytest.fixture
def served(originals, small_digests, tmp_path, monkeypatch):
    """A folder that a server on this machine serves; the requests that it had."""
    folder = make_folder(tmp_path / "served", originals)
    monkeypatch.setenv("SKDANN_DATA", str(tmp_path / "cache"))
    with serving(folder) as (address, requests):
        monkeypatch.setenv("SKDANN_DATA_URL", address)
        yield folder, requests


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


def test_a_folder_that_holds_the_files_is_used_as_it_is(packed, monkeypatch):
    packed.chmod(0o500)
    monkeypatch.setenv("HOME", str(packed.parent))
    home = f"~/{packed.name}"
    X, y = datasets.fetch_phishing(data_home=home, return_X_y=True)
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
    ):
        path.write_bytes(damage(path.read_bytes()))
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


def test_addresses_are_those_of_the_publishers():
    files = {}
    for source in _sources.SOURCES.values():
        assert all(url.startswith("https://") for url in source.addresses.values())
        files |= source.addresses
    assert _sources.SOURCES.keys() < _cache.DIGESTS.keys()
    assert _cache.DIGESTS.keys() < _sources.SOURCES.keys() | files.keys()
    for digest in _cache.DIGESTS.values():
        assert len(digest) == 64 or len(digest.removeprefix("md5:")) == 32


@pytest.mark.parametrize(
    "fetch",
    [
        datasets.fetch_adult,
        datasets.fetch_amazon_reviews,
        datasets.fetch_gas_drift,
        datasets.fetch_mnist,
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
        (datasets.fetch_gas_drift, {"domain": 2}, (6, 128), "f4"),
        (datasets.fetch_heart_disease, {"domain": "va"}, (4, 13), "f4"),
        (datasets.fetch_adult, {"domain": "men"}, (3, 14), "f8"),
        (datasets.fetch_adult, {"domain": "women"}, (2, 14), "f8"),
        (datasets.fetch_phishing, {"domain": "name"}, (4, 30), "f8"),
        (datasets.fetch_mnist, {"subset": "test"}, (5, 1, 28, 28), "u1"),
        (datasets.fetch_usps, {}, (3, 1, 16, 16), "f4"),
    ],
)
def test_every_loader_reads_its_file(packed, fetch, options, shape, dtype):
    check_loader(fetch, {**options, "data_home": packed}, shape, dtype)


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


def test_a_missing_library_is_named():
    code = (
        "import sys; sys.modules['pooch'] = None\n"
        "from skdann.datasets import fetch_usps\n"
        "fetch_usps(data_home='nowhere')"
    )
    result = children.fork(code, check=False)
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
    network = DANNClassifier(**PLAIN, max_epochs=200, random_state=0)
    source_only = clone(network).set_params(lambda_max=0).fit(X, y)
    adapted = network.fit(X, y, X_tgt)
    assert adapted.score(X_tgt, y_tgt) > source_only.score(X_tgt, y_tgt) + 0.05

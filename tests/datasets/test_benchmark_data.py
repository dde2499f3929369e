"""The benchmarks' own loaders, on small files of the layouts that they read."""

import io
import sys
import tarfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_files import check_loader, digests_of, make_folder, npz, rng, serving, tables

from skdann.datasets import _cache, fetch_mnist

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from data import _files, fetch_mnist_m, fetch_mnist_usps, fetch_office_caltech


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
    """Small data of the shapes of the real ones, and MNIST."""
    jpeg_bytes, offsets = _photographs()
    names = [str(i) for i in range(10)]
    return {
        "bsds500_train_jpeg": {"jpeg_bytes": jpeg_bytes, "offsets": offsets},
        "mnist": tables(("train", "test"), (5, 28, 28), 10, dtype="u1"),
        "mnist_usps_256": tables(("mnist", "usps"), (4, 256), 10, dtype="f4"),
        "mnistm_official_test": tables(("test",), (3, 32, 32, 3), 10, dtype="u1"),
        "office_caltech_surf": tables(
            ("amazon", "dslr"), (4, 800), 10, dtype="u1", class_names=names
        ),
    }


@pytest.fixture
def small_digests(arrays, monkeypatch):
    for name, digest in digests_of(arrays, {}).items():
        known = _cache.DIGESTS if name == "mnist" else _files.DIGESTS
        monkeypatch.setitem(known, name, digest)


@pytest.fixture
def packed(arrays, small_digests, tmp_path):
    """A folder with a packed file of each data set."""
    files = {f"{name}.npz": npz(content) for name, content in arrays.items()}
    return make_folder(tmp_path / "packed", files)


@pytest.fixture
def served(arrays, small_digests, tmp_path, monkeypatch):
    """A folder with the photographs' archive, served; the cache has MNIST."""
    archive = _photographs_archive(arrays["bsds500_train_jpeg"])
    cache = make_folder(tmp_path / "cache", {"mnist.npz": npz(arrays["mnist"])})
    folder = make_folder(tmp_path / "served", {"BSR_bsds500.tgz": archive})
    monkeypatch.setenv("SKDANN_DATA", str(cache))
    with serving(folder) as (address, _):
        monkeypatch.setenv("SKDANN_DATA_URL", address)
        yield folder


@pytest.mark.parametrize("damage", [lambda b: b[:-99], lambda b: b"", lambda b: b"no"])
def test_a_damaged_archive_is_named(packed, served, damage):
    path = packed / "BSR_bsds500.tgz"
    path.write_bytes(damage((served / path.name).read_bytes()))
    (packed / "bsds500_train_jpeg.npz").unlink()
    with pytest.raises(ValueError, match=r"BSR_.*(can't be read|damaged)"):
        fetch_mnist_m(data_home=packed)


def test_of_what_cannot_be_downloaded_the_error_says_what_to_do(served):
    for fetch in fetch_office_caltech, fetch_mnist_usps:
        with pytest.raises(FileNotFoundError, match=r"no stable .* Pass data_home"):
            fetch()
    with pytest.raises(FileNotFoundError, match=r"mnistm_official_test\.npz"):
        fetch_mnist_m(subset="test")


def test_the_address_is_that_of_the_publisher():
    (source,) = _files.SOURCES.values()
    assert all(url.startswith("https://") for url in source.addresses.values())
    assert _files.SOURCES.keys() < _files.DIGESTS.keys()
    assert all(len(digest) == 64 for digest in _files.DIGESTS.values())


def test_the_archive_holds_what_the_packed_file_does(served, packed):
    downloaded, local = fetch_mnist_m(), fetch_mnist_m(data_home=packed)
    (served / "BSR_bsds500.tgz").unlink()
    assert (downloaded.data != fetch_mnist_m().data).sum() == 0
    assert (downloaded.data != local.data).sum() == 0
    np.testing.assert_array_equal(downloaded.target, local.target)
    assert downloaded.target_names == local.target_names


@pytest.mark.parametrize(
    ("fetch", "options", "shape", "dtype"),
    [
        (fetch_office_caltech, {"domain": "dslr"}, (4, 800), "f8"),
        (fetch_mnist_usps, {"domain": "usps"}, (4, 256), "f4"),
        (fetch_mnist_m, {}, (5, 3, 28, 28), "u1"),
        (fetch_mnist_m, {"subset": "test"}, (3, 3, 28, 28), "u1"),
    ],
)
def test_every_loader_reads_its_file(packed, fetch, options, shape, dtype):
    check_loader(fetch, {**options, "data_home": packed}, shape, dtype)


def test_digits_are_blended_with_photographs(packed, arrays):
    where = {"data_home": packed}
    digits = fetch_mnist(**where).data
    first, again = (fetch_mnist_m(**where).data for _ in range(2))
    other = fetch_mnist_m(random_state=1, **where).data
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

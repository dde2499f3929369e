"""A file is replaced as a whole, and is in all else the file that it was."""

import ctypes
import os
import stat
import traceback

import numpy as np
import pytest
from helpers import bits
from safetensors import safe_open
from safetensors.numpy import save

from skdann._io._container import check_writable, read_file, remove_parts, write_file

TREE = {"a": [1, 2.5, None, "x"], "b": {0: (1, 2)}}


SMALL = {"é": np.arange(2.0), "b": (np.array([], int), 1e300), "c": np.array(["x"])}


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small"
    write_file(path, SMALL)
    return path


def reads_or_refuses(path, data):
    """Return what is read of these bytes, or what was said."""
    with open(path, "r+b") as file:  # anew, each would take ten times as long
        file.write(data)
        file.truncate()
    try:
        return bits(read_file(path))
    except ValueError as error:
        return str(error)


def test_any_damage_of_a_file_is_found(small):
    """Each byte is changed by a bit, lost, or doubled, and the file cut before it."""
    data, expected = small.read_bytes(), bits(SMALL)
    damaged = [data + b" ", data + data, b" " + data]
    for i in range(len(data)):
        byte, rest = data[i : i + 1], data[i + 1 :]
        flipped = bytes([byte[0] ^ 1 << i % 8])
        new = (flipped + rest, rest, byte + byte + rest, b"")
        damaged += [data[:i] + end for end in new]
    found = [reads_or_refuses(small, changed) for changed in damaged]
    assert all("can't be used" in said for said in found)
    assert reads_or_refuses(small, data) == expected


def parts_of(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata(), {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118


def header_changed(change):
    """Return how the text of names and shapes is changed, its length told rightly."""

    def apply(path):
        data = path.read_bytes()
        n = int.from_bytes(data[:8], "little")
        text = change(data[8 : 8 + n].rstrip())
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + n :])

    return apply


def with_parts(change):
    def apply(path):
        metadata, arrays = parts_of(path)
        path.write_bytes(save(*change(metadata, arrays)[::-1]))

    return apply


FIRST = b'"0":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}'
HEADERS = {
    "an array twice": header_changed(lambda t: t.replace(FIRST, FIRST + b"," + FIRST)),
    "an array twice, otherwise": header_changed(
        lambda t: t.replace(FIRST, FIRST.replace(b"F64", b"I64") + b"," + FIRST)
    ),
    "two arrays in one place": header_changed(
        lambda t: t.replace(FIRST, FIRST + b"," + FIRST.replace(b'"0"', b'"9"'))
    ),
    "another type": header_changed(lambda t: t.replace(b"F64", b"I64")),
    "another shape": header_changed(lambda t: t.replace(b"[2]", b"[2,1]")),
    "another name": header_changed(lambda t: t.replace(b'"0":', b'"5":')),
    "one more array": with_parts(lambda m, a: (m, a | {"7": np.ones(3)})),
    "an empty array more": with_parts(lambda m, a: (m, a | {"7": np.ones(0)})),
    "one array less": with_parts(lambda m, a: (m, {"0": a["0"]})),
    "two arrays exchanged": with_parts(lambda m, a: (m, {"0": a["1"], "1": a["0"]})),
    "another order": with_parts(lambda m, a: (m, dict(reversed(a.items())))),
    "bytes between": header_changed(lambda t: t.replace(b"[0,16]", b"[8,16]")),
    "format 0": header_changed(lambda t: t.replace(b'"1"', b'"0"')),
    "format -1": header_changed(lambda t: t.replace(b'"1"', b'"-1"')),
    "a tree twice": header_changed(
        lambda t: t.replace(b'"tree":', b'"tree":"{}","tree":')
    ),
    "a tree twice, the other first": header_changed(
        lambda t: t.replace(b'"skdann"', b'"tree":"{}","skdann"')
    ),
    "more metadata": with_parts(lambda m, a: (m | {"more": "x"}, a)),
    "spaces": header_changed(lambda t: t.replace(b":", b" : ", 1) + b"   "),
    "another spelling": header_changed(
        lambda t: t.replace(b'"skdann"', b'"\\u0073kdann"')
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_file_told_otherwise_is_the_same_or_refused(small, name):
    before = small.read_bytes()
    HEADERS[name](small)
    assert small.read_bytes() != before or name == "another order"
    found = reads_or_refuses(small, small.read_bytes())
    assert found == bits(SMALL) or "can't be used" in found
    assert ("there is no such format" in found) == name.startswith("format")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o400, 0o755, 0o660])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_file(path, TREE)
    assert mode_of(path) == mode
    assert read_file(path) == TREE


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_file(tmp_path / "file", TREE)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "file") == 0o666 & ~umask


def test_what_others_must_not_read_they_can_not_read_meanwhile(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o600)
    seen = []

    def look(descriptor):
        seen.extend(mode_of(part) for part in tmp_path.glob(".*.part"))

    monkeypatch.setattr(os, "fsync", look)
    write_file(path, TREE)
    assert seen == [0o600]


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives files away")
def test_a_file_of_another_user_stays_theirs(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    os.chown(path, 12345, 23456)
    write_file(path, TREE)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_one_and_leads_to_the_new_file(tmp_path, is_there):
    folder, link, second = tmp_path / "folder", tmp_path / "link", tmp_path / "second"
    folder.mkdir()
    if is_there:
        (folder / "file").write_bytes(b"old")
    link.symlink_to("folder/file")
    second.symlink_to(link)
    check_writable(second)
    write_file(second, TREE)
    assert second.is_symlink()
    assert link.is_symlink()
    assert os.readlink(link) == "folder/file"
    assert read_file(folder / "file") == TREE
    assert sorted(os.listdir(tmp_path)) == ["folder", "link", "second"]
    assert os.listdir(folder) == ["file"]


def test_what_is_no_file_is_not_replaced_by_one(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "null").symlink_to(os.devnull)
    for name, error in (
        ("folder", IsADirectoryError),
        *(("fifo", OSError), ("null", OSError)),
    ):
        for do in (check_writable, lambda path: write_file(path, TREE)):
            with pytest.raises(error, match=r"[Ii]s a directory|not a regular file"):
                do(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["fifo", "folder", "null"]
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize(
    "name",
    [
        *("run[1]", "run*", "run?", "a.b", "[", "run\\1", "ü", " x", "^$(.+)", "-"),
        *("x" * 250, "ü" * 120),
    ],
)
def test_parts_are_removed_of_this_file_alone(tmp_path, name):
    path = tmp_path / name
    write_file(path, TREE)
    others = ["run1", "run", "x", "a_b", "x" * 249, "run[1]x", "b"]
    kept = [f".{other}.0123abcd.part" for other in others if len(other) < 200]
    kept += [f".{name[:50]}.mybackup.part", f".{name[:50]}.0123abcd.part.old"]
    for other in kept:
        (tmp_path / other).write_bytes(b"")
    killed(path)
    assert len(os.listdir(tmp_path)) == len(kept) + 2
    remove_parts(path)
    assert sorted(os.listdir(tmp_path)) == sorted([name, *kept])
    assert read_file(path) == TREE


def killed(path):
    """Leave what a writer leaves that is killed before its file has its name."""
    pid = os.fork()
    if pid == 0:
        os.replace = lambda *names: os._exit(0)
        write_file(path, TREE)
    os.waitpid(pid, 0)


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    check_writable("~/file")
    write_file("~/file", TREE)
    remove_parts("~/file")
    assert os.listdir(tmp_path) == ["file"]
    assert read_file("~/file") == TREE
    monkeypatch.chdir(tmp_path)
    write_file("~nobody-of-this-name", TREE)  # which is the name of a file then
    assert read_file(tmp_path / "~nobody-of-this-name") == TREE


def in_a_process_without_privileges(do):
    """Root may do anything, unless it gives this up."""
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                header = (ctypes.c_uint32 * 2)(0x20080522, 0)
                assert ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()) == 0
            do()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0


def test_a_folder_that_can_be_written_but_not_listed_is_one_to_save_in(tmp_path):
    path, new = tmp_path / "file", tmp_path / "new"
    path.write_bytes(b"old")

    def do():
        tmp_path.chmod(0o300)
        with pytest.raises(PermissionError):
            os.listdir(tmp_path)
        check_writable(path)
        remove_parts(path)
        write_file(path, TREE)
        write_file(new, TREE)

    in_a_process_without_privileges(do)
    tmp_path.chmod(0o700)
    assert read_file(path) == read_file(new) == TREE
    assert sorted(os.listdir(tmp_path)) == ["file", "new"]


def test_what_is_forbidden_is_not_called_damaged(tmp_path):
    path, secret = tmp_path / "file", tmp_path / "secret"
    for one in (path, secret):
        write_file(one, TREE)
    secret.chmod(0o000)

    def do():
        with pytest.raises(PermissionError, match="secret"):
            read_file(secret)
        tmp_path.chmod(0o500)
        for write in (check_writable, lambda path: write_file(path, {})):
            with pytest.raises(PermissionError):
                write(path)

    in_a_process_without_privileges(do)
    tmp_path.chmod(0o700)
    assert read_file(path) == TREE

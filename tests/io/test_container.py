"""A file is replaced as a whole, and is in all else the file that it was."""

import ctypes
import os
import stat
import traceback

import pytest

from skdann._io._container import check_writable, read_file, remove_parts, write_file

TREE = {"a": [1, 2.5, None, "x"], "b": {0: (1, 2)}}


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

"""A file that can't be used is one error on stderr, and nothing is written."""

import re
import sys

import numpy as np
import pandas as pd
import pytest

from skdann._cli import main


@pytest.fixture
def refused(clinics, capsys):
    """Return a function: run on these bytes, and return what stderr says."""

    def run(source=None, target=None, *options, label="outcome"):
        paths = clinics.write()
        for path, data in zip(paths, (source, target), strict=True):
            if data is not None:
                (clinics.folder / path).write_bytes(data)
        before = sorted(clinics.folder.iterdir())
        asked = ["adapt", *paths, "--label", label, *options]
        code = main([*asked, "--output", str(clinics.output)])
        assert code == 2
        assert sorted(clinics.folder.iterdir()) == before
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("skdann: ")
        assert err.count("\n") == 1
        return err

    return run


def text(frame, **how):
    return frame.to_csv(index=False, **how).encode()


def test_no_such_file(clinics, capsys):
    clinics.write()
    assert main(["adapt", "a.csv", "c.csv", "--label", "outcome"]) == 2
    assert "no file c.csv. In its folder: a.csv, b.csv." in capsys.readouterr().err


def test_the_same_file_twice(clinics, capsys):
    clinics.write()
    same = str(clinics.folder / "a.csv")
    assert main(["adapt", "a.csv", same, "--label", "outcome"]) == 2
    assert "a.csv is given twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "b.csv is empty"),
        (b"\n\n", "b.csv is empty"),
        (b"age,sex\n", "no rows"),
        (b"age,sex\n1,m\n2\n3,f\n", r"Line 3 of .*b.csv has 1 fields"),
        (b"age,sex\n1,m\n2,f,f\n", r"Line 3 of .*b.csv has 3 fields"),
        (b"age,age,sex\n1,2,m\n", "several columns named age"),
        ("age,sex\n1,f\xe9m\n".encode("latin-1"), "--encoding cp1252"),
        (b'age,sex\n1,"m\n2,f\n', "Line 3 .* fields|can't be read as a table"),
        (b"PK\x03\x04", "a zip archive"),
        (b"PAR1rest", "no readable Parquet file"),
        (b"what,ever\n1,2\n", "no column in common"),
    ],
)
def test_a_target_that_is_no_table(refused, data, message):
    assert re.search(message, refused(target=data))


def test_a_header_of_numbers(refused):
    assert "names of the columns" in refused(source=b"1,2,3\n4,5,6\n7,8,9\n")


def test_no_such_label(refused):
    assert "no column 'Outcom'. Did you mean 'outcome'?" in refused(label="Outcom")


def test_rows_without_a_label(refused, clinics):
    clinics.source.loc[[3, 5], "outcome"] = None
    assert "missing in 2 of 90 rows" in (said := refused())
    assert "row 4, row 6" in said
    assert "--drop-unlabelled" in said


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["ill"] * 90, "always 'ill'"),
        (["ill"] * 89 + ["well"], "'well' in one row"),
        ([f"p{i}" for i in range(90)], "no classes"),
        (["2024-01-01"] * 45 + ["2024-01-02"] * 45, "dates"),
    ],
)
def test_labels_that_are_none(refused, clinics, labels, message):
    clinics.source["outcome"] = labels
    assert message in refused()


def test_labels_of_the_target_that_the_source_has_not(refused, clinics):
    frame = clinics.target.assign(outcome=["ill", "dead"] * 35)
    assert "'dead'" in refused(None, text(frame))


def test_large_numbers_as_labels_are_told_apart(refused, clinics):
    large = np.array(["9007199254740993", "9007199254740992"])
    is_ill = (clinics.source["outcome"] == "ill").astype(int)
    clinics.source["outcome"] = large[is_ill]
    frame = clinics.target.assign(outcome=["9007199254740993", "9007199254740994"] * 35)
    said = refused(None, text(frame))
    assert "'9007199254740994'. In the source: '9007199254740992', '9007" in said


def test_numbers_in_one_and_text_in_the_other(refused, clinics):
    frame = clinics.target.assign(pressure=clinics.target["pressure"].astype(object))
    frame.loc[:2, "pressure"] = "high"
    said = refused(None, text(frame))
    assert "'pressure' holds numbers" in said
    assert "3 of 70 values are none: 'high'" in said
    assert "--missing 'high'" in said


def test_commas_that_may_be_thousands(refused, clinics):
    frame = clinics.target.assign(pressure="1,234", age=50)
    said = refused(None, text(frame))
    assert "'pressure'" in said
    assert "--decimal" in said


def test_names_that_differ_in_case(refused, clinics):
    frame = clinics.target.drop(columns="outcome")
    assert "'AGE' and 'age'" in refused(None, text(frame.rename(columns=str.upper)))


def test_no_column_is_left(refused, clinics):
    frame = pd.DataFrame({"country": ["fr"] * 9, "patient": np.arange(9)})
    assert "No column can be used" in refused(None, text(frame))


@pytest.mark.parametrize("option", ["--drop", "--text", "--id"])
def test_options_name_columns(refused, option):
    assert "no column 'wrong'" in refused(None, None, option, "wrong")
    assert "is the label" in refused(None, None, option, "outcome")


def test_options_that_make_no_sense(clinics, capsys):
    for option, value in (("--max-time", "0"), ("--max-rows", "x"), ("--task", "none")):
        with pytest.raises(SystemExit) as error:
            clinics.adapt(option, value)
        assert error.value.code == 2
        assert option in capsys.readouterr().err


def test_an_output_is_never_lost(clinics, capsys):
    clinics.output.mkdir()
    (clinics.output / "predictions.csv").write_text("old")
    assert clinics.adapt() == 2
    assert "--force" in capsys.readouterr().err
    (clinics.output / "thesis.txt").write_text("mine")
    assert clinics.adapt("--force") == 2
    assert "thesis.txt" in capsys.readouterr().err
    assert (clinics.output / "predictions.csv").read_text() == "old"


def test_a_folder_that_is_not_there(clinics, capsys):
    paths = clinics.write()
    asked = ["adapt", *paths, "--label", "outcome", "--output", "no/where"]
    assert main(asked) == 2
    assert "no folder no" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt, 130, "interrupted; nothing was written"),
        (MemoryError, 2, "do not fit into memory"),
        (pd.errors.ParserError("odd"), 2, "can't be read as a table: odd"),
    ],
)
def test_what_happens_while_files_are_read(
    clinics, monkeypatch, capsys, error, code, message
):
    def fail(*args, **how):
        raise error

    monkeypatch.setattr(pd, "read_csv", fail)
    assert clinics.adapt() == code
    assert message in capsys.readouterr().err
    assert not clinics.output.exists()


def test_without_skrub_it_says_what_to_install(monkeypatch, clinics, capsys):
    monkeypatch.setitem(sys.modules, "skrub", None)
    assert clinics.adapt() == 2
    assert "pip install 'skdann[tables]'" in capsys.readouterr().err

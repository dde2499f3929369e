"""A model that was written predicts new files."""

import pandas as pd
import pytest

from skdann._cli import main


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    from clinics import Clinics

    clinics = Clinics(tmp_path_factory.mktemp("clinics"))
    assert clinics.adapt("--quiet") in (0, 3)
    return clinics


@pytest.fixture
def predict(fitted, tmp_path):
    """Return a function: predict a frame, and return the code and what is written."""

    def call(frame, *options, **how):
        new, output = tmp_path / "new.csv", tmp_path / "new-predictions.csv"
        frame.to_csv(new, index=False, **how)
        model = str(fitted.output / "model.skdann")
        code = main(["predict", model, str(new), "--output", str(output), *options])
        return code, pd.read_csv(output) if output.exists() else None

    return call


def test_the_target_is_predicted_as_it_was(fitted, predict):
    code, again = predict(fitted.target.drop(columns="outcome"))
    assert code == 0
    assert again.equals(pd.read_csv(fitted.output / "predictions.csv"))


def test_files_may_be_written_otherwise(fitted, predict):
    frame = fitted.target[["sex", "seen", "age", "pressure"]].iloc[:9].copy()
    frame["seen"] = pd.to_datetime(frame["seen"])
    frame["age"] = None
    code, some = predict(frame, sep="\t", decimal=",", date_format="%d/%m/%Y")
    assert code == 0
    plain = pd.read_csv(fitted.output / "predictions.csv")
    _, shouted = predict(frame.assign(sex=frame["sex"].str.upper()), "--force")
    assert shouted["probability ill"].equals(some["probability ill"])
    assert len(some) == 9
    assert some["probability ill"].corr(plain["probability ill"][:9]) > 0.8


def test_what_does_not_fit_is_refused(fitted, predict, capsys):
    code, _ = predict(fitted.target.drop(columns=["sex", "age"]))
    assert code == 2
    assert "lacks columns that the model was trained on: age, sex" in (
        capsys.readouterr().err
    )
    code, _ = predict(fitted.target.assign(pressure="high"))
    assert code == 2
    assert "'pressure' held numbers" in capsys.readouterr().err


def test_nothing_is_overwritten_unless_told(fitted, predict, tmp_path, capsys):
    (tmp_path / "new-predictions.csv").write_text("row\n1\n")
    code, old = predict(fitted.target)
    assert (code, len(old)) == (2, 1)
    assert "--force" in capsys.readouterr().err
    code, new = predict(fitted.target, "--force")
    assert (code, len(new)) == (0, 70)


def test_a_model_needs_its_report(fitted, tmp_path, capsys):
    table = str(fitted.folder / "b.csv")
    assert main(["predict", str(tmp_path / "none.skdann"), table]) == 2
    assert "no file" in capsys.readouterr().err
    (tmp_path / "bad.skdann").write_text("no model")
    assert main(["predict", str(tmp_path / "bad.skdann"), table]) == 2
    capsys.readouterr()
    model = tmp_path / "model.skdann"
    model.write_bytes((fitted.output / "model.skdann").read_bytes())
    assert main(["predict", str(model), table]) == 2
    assert "report.json can't be read" in capsys.readouterr().err

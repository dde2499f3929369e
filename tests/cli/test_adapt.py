"""One command reads two files, and writes predictions, a report and the model."""

import json

import numpy as np
import pandas as pd
import pytest
from children import run
from sklearn.metrics import accuracy_score

from skdann._cli import main


def report_of(clinics):
    return json.loads((clinics.output / "report.json").read_text())


def predictions_of(clinics):
    return pd.read_csv(clinics.output / "predictions.csv", keep_default_na=False)


def columns_of(clinics):
    return {column["name"]: column for column in report_of(clinics)["columns"]}


@pytest.fixture
def few_trees():
    """Not here: what ran in a process of its own had all of them."""


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    """Clinics whose target was predicted, as a stranger would do it."""
    from clinics import Clinics

    clinics = Clinics(tmp_path_factory.mktemp("clinics"))
    clinics.target["seen"] = pd.to_datetime(clinics.target["seen"])
    clinics.target["ward"] = 3
    clinics.source["lab"], clinics.target["lab"] = 1.5, None
    clinics.source["rare"] = np.arange(90) / 7
    clinics.target["rare"] = [1.5, 2.5] + [None] * 68
    clinics.source.loc[:3, "outcome"] = clinics.source["outcome"].str.title()[:4]
    clinics.target.loc[:9, "sex"] = clinics.target["sex"].str.upper()[:10] + " "
    paths = clinics.write(sep=";", decimal=",", date_format="%d.%m.%Y")
    clinics.result = run(
        "-m", "skdann", "adapt", *paths, "--label", "outcome", "--quick",
        "--output", clinics.output, check=False,
    )  # fmt: skip
    clinics.target["sex"] = clinics.target["sex"].str.lower().str.strip()
    return clinics


def test_all_rows_are_predicted_in_their_order(adapted):
    assert adapted.result.returncode in (0, 3), adapted.result.stderr
    predictions, target = predictions_of(adapted), adapted.target
    assert predictions["patient"].tolist() == target["patient"].tolist()
    assert accuracy_score(target["outcome"], predictions["outcome"]) > 0.8
    P = predictions[["probability ill", "probability well"]]
    assert np.allclose(P.sum(axis=1), 1, atol=1e-3)
    ill = predictions["outcome"] == "ill"
    assert (P["probability ill"] >= P["probability well"]).equals(ill)


def test_what_the_columns_hold_is_told(adapted):
    columns = columns_of(adapted)
    kinds = {name: column["kind"] for name, column in columns.items()}
    assert kinds["pressure"] == kinds["age"] == "number"
    assert (kinds["seen"], kinds["sex"]) == ("date", "text")
    left_out = {name: c["left_out"] for name, c in columns.items() if c["left_out"]}
    assert left_out == {
        "patient": "names the rows: 90 values in 90 rows",
        "country": "always 'fr' in the source",
        "ward": "only in the target",
        "lab": "no values in the target",
        "rare": "97% missing in the target",
    }
    n_unknown = int((adapted.target["sex"] == "unknown").sum())
    assert columns["sex"]["new"] == {"unknown": n_unknown}
    assert columns["age"]["missing"] == pytest.approx([5 / 90, 5 / 70])
    assert "spellings of 3 words" in columns["sex"]["notes"][0]


def test_rows_to_label_are_called_by_their_name(adapted):
    patients, shown = adapted.target["patient"], report_of(adapted)["to_label_names"]
    assert shown == patients.iloc[report_of(adapted)["to_label"]].tolist()
    assert f"({shown[0]})" in adapted.result.stdout


def test_rows_unlike_the_source_are_flagged(adapted):
    reasons = predictions_of(adapted)["unlike source"]
    is_unknown = (adapted.target["sex"] == "unknown").to_numpy()
    assert reasons[is_unknown].str.contains("sex=unknown").all()
    assert (reasons[~is_unknown] != "").mean() < 0.2
    assert report_of(adapted)["unlike"] == pytest.approx((reasons != "").mean())


def test_the_page_and_the_terminal_tell_the_same(adapted):
    page, said = (adapted.output / "report.html").read_text(), adapted.result.stdout
    for what in ("b.csv", "only in the target", "Rows to label first", "agreement"):
        assert what in page
        assert what in said
    assert report_of(adapted)["advice"] in page
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert "src=" not in page.replace('src="data:', "")


def test_the_report_is_shown_again_with_the_same_exit_code(adapted, capsys):
    code = main(["report", str(adapted.output), "--json"])
    assert code == adapted.result.returncode == report_of(adapted)["exit_code"]
    assert json.loads(capsys.readouterr().out) == report_of(adapted)
    assert main(["report", str(adapted.output)]) == code
    assert capsys.readouterr().out.strip() in adapted.result.stdout


def test_the_same_seed_is_the_same_however_files_are_written(adapted, clinics):
    assert clinics.adapt("--quiet", "--id", "patient") == adapted.result.returncode
    assert predictions_of(clinics).equals(predictions_of(adapted))
    assert sorted(path.name for path in clinics.folder.iterdir()) == [
        "a.csv", "b.csv", "out",
    ]  # fmt: skip


def test_some_labels_of_the_target_are_learned_from(clinics, short_training):
    asked = report_of_few(clinics)
    assert "12 rows of the target are labelled: they are learned from" in asked
    assert report_of(clinics)["models"]["n_labelled"][0] == 12
    assert not set(report_of(clinics)["to_label"]) & set(range(12))


def report_of_few(clinics):
    paths = clinics.write()
    target = clinics.target.copy()
    target.loc[12:, "outcome"] = ""
    target.to_csv(paths[1], index=False)
    output = ["--output", str(clinics.output), "--quick", "--quiet"]
    main(["adapt", *paths, "--label", "outcome", *output])
    return report_of(clinics)["label"]["of_target"]


def test_all_labels_of_the_target_only_measure(adapted, clinics):
    paths = clinics.write()
    clinics.target.to_csv(paths[1], index=False)
    asked = ["adapt", *paths, "--label", "outcome", "--quick", "--quiet", "--output"]
    assert main([*asked, str(clinics.output), "--id", "patient"]) == 0
    predictions = predictions_of(clinics)
    assert predictions.equals(predictions_of(adapted))
    right = accuracy_score(clinics.target["outcome"], predictions["outcome"])
    assert report_of(clinics)["measured"]["accuracy"] == pytest.approx(right)
    main([*asked, str(clinics.output), "--force", "--use-target-labels"])
    assert report_of(clinics)["measured"] is None
    assert "learned from" in report_of(clinics)["label"]["of_target"]


def test_labels_that_prove_it_wrong_are_heard(clinics, short_training):
    paths = clinics.write()
    swapped = clinics.target["outcome"].map({"ill": "well", "well": "ill"})
    clinics.target.assign(outcome=swapped).to_csv(paths[1], index=False)
    asked = ["adapt", *paths, "--label", "outcome", "--quick", "--quiet", "--output"]
    assert main([*asked, str(clinics.output)]) == 4
    assert report_of(clinics)["advice"] == "Do not use these predictions."


def test_numbers_are_predicted_as_numbers(clinics, short_training):
    for frame in (clinics.source, clinics.target):
        frame["outcome"] = frame["pressure"] / 2 + 0.25
    assert clinics.adapt("--json") == 3
    predictions = predictions_of(clinics)
    truth = clinics.target["outcome"]
    assert np.corrcoef(predictions["outcome"], truth)[0, 1] > 0.9
    label = report_of(clinics)["label"]
    assert label["task"] == "regression"
    assert "fractions" in label["why"]
    model = str(clinics.output / "model.skdann")
    assert main(["predict", model, "b.csv", "--output", "again.csv"]) == 0
    again = pd.read_csv(clinics.folder / "again.csv", keep_default_na=False)
    assert np.allclose(again["outcome"], predictions["outcome"])


def test_few_whole_numbers_are_classes_unless_told(clinics, short_training):
    for frame in (clinics.source, clinics.target):
        frame["outcome"] = (frame["outcome"] == "ill").astype(int)
    clinics.adapt("--quiet")
    assert report_of(clinics)["label"]["task"] == "classification"
    assert set(predictions_of(clinics)["outcome"]) == {0, 1}
    clinics.adapt("--quiet", "--force", "--task", "regression")
    assert report_of(clinics)["label"]["task"] == "regression"


def test_what_is_asked_for_is_done(clinics, short_training):
    clinics.source["code"], clinics.target["code"] = np.arange(90) % 3, 1
    clinics.source.loc[:1, "outcome"] = ""
    asked = ["--drop", "age", "--text", "code", "--drop-unlabelled", "--max-rows", "60"]
    clinics.adapt("--quiet", *asked)
    columns, report = columns_of(clinics), report_of(clinics)
    assert columns["age"]["left_out"] == "as told by --drop"
    assert columns["code"]["categories"] == ["0", "1", "2"]
    assert report["n_rows"] == [88, 70]
    assert report["n_trained"] == [60, 60]
    assert len(predictions_of(clinics)) == 70


def test_parquet_is_read_by_its_types(clinics, short_training):
    clinics.source["age"] = pd.to_numeric(clinics.source["age"], errors="coerce")
    clinics.target["age"] = pd.to_numeric(clinics.target["age"], errors="coerce")
    paths = []
    for name, frame in (("a", clinics.source), ("b", clinics.target)):
        frame["seen"] = pd.to_datetime(frame["seen"])
        frame["sex"] = frame["sex"].astype("category")
        paths.append(str(clinics.folder / f"{name}.parquet"))
        frame.to_parquet(paths[-1])
    output = ["--output", str(clinics.output), "--quick", "--quiet"]
    assert main(["adapt", *paths, "--label", "outcome", *output]) in (0, 3)
    kinds = {name: c["kind"] for name, c in columns_of(clinics).items()}
    assert (kinds["age"], kinds["seen"], kinds["sex"]) == ("number", "date", "text")

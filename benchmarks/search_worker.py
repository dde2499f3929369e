"""One search, timed: `search_worker.py contender data-set n_jobs [folder]`."""

import json
import sys
import time
import warnings

import numpy as np
from plain import PLAIN

LR = [1e-3, 3e-3, 1e-2]


def load(data_set, data):
    """Return X, y, X_tgt and, for tf-idf, the step before the classifier."""
    if data_set == "50 columns":
        from contenders import Task

        return *Task(n_rows=2000).data(), []
    from pairs import load as load_pair
    from pairs import preprocessing

    X, y, X_tgt, _ = load_pair("amazon", "books>kitchen", data)
    return X, y, X_tgt, [("tfidf", *preprocessing("amazon"))]


def search_of_ours(contender, data_set, n_jobs, data):
    import sklearn
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline

    from skdann import DANNClassifier
    from skdann.model_selection import DANNGridSearchCV, target_scorer

    if "autograd" in contender:
        from by_autograd import ClassifierByAutograd as DANNClassifier

    X, y, X_tgt, steps = load(data_set, data)
    steps.append(("dann", DANNClassifier(**PLAIN, random_state=0)))
    pipe = Pipeline(steps, transform_input=["X_tgt"])
    grid = {
        "dann__lambda_max": [0, 0.1, 0.3, 1],
        "dann__lambda_gamma": [5, 10],
        "dann__lr": LR,
        "dann__lr_schedule": ["annealed", "constant"],
    }
    options = {"cv": 3, "n_jobs": n_jobs, "refit": "infomax"}
    names = ["infomax", "nuclear_norm", "neg_entropy", "neg_iwv", "neg_dev", "neg_devn"]
    started = time.perf_counter()
    if contender == "skdann":
        search = DANNGridSearchCV(
            pipe, grid, scoring=names, source_tolerance=1, **options
        ).fit(X, y, X_tgt)
    else:
        with sklearn.config_context(enable_metadata_routing=True):
            search = GridSearchCV(
                pipe, grid, scoring=target_scorer(names), **options
            ).fit(X, y, X_tgt=X_tgt)
    return {
        "seconds": time.perf_counter() - started,
        "best": search.best_params_,
        "scores": search.cv_results_["mean_test_infomax"].tolist(),
    }


def search_of_skada(data_set, n_jobs, data):
    from contenders import Skada, Task
    from skada.metrics import PredictionEntropyScorer
    from skada.model_selection import SourceTargetShuffleSplit
    from sklearn.model_selection import GridSearchCV

    X, y, X_tgt, steps = load(data_set, data)
    if steps:  # its networks take dense rows only
        X, X_tgt = (np.asarray(A.todense()) for A in (X, X_tgt))
    started = time.perf_counter()
    net = Skada(Task(n_rows=len(X), n_features=X.shape[1], steps=1000)).net
    GridSearchCV(
        net,
        {"lr": LR, "criterion__reg": [0.0, 1.0]},
        scoring=PredictionEntropyScorer(),
        cv=SourceTargetShuffleSplit(n_splits=3, random_state=0),
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(
        np.concatenate([X, X_tgt]),
        np.concatenate([y, np.full(len(X_tgt), -1)]),
        sample_domain=np.repeat([1, -2], [len(X), len(X_tgt)]),
    )
    return {"seconds": 8 * (time.perf_counter() - started)}


def main():
    warnings.simplefilter("ignore")
    contender, data_set, n_jobs, *folder = sys.argv[1:]
    arguments = data_set, int(n_jobs), *(folder or [None])
    if contender == "skada":
        answer = search_of_skada(*arguments)
    else:
        answer = search_of_ours(contender, *arguments)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

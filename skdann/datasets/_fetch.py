"""Loaders of real data that were gathered in several places."""

from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.utils import Bunch

from .._typing import PathLike
from ._cache import load_arrays


def fetch_amazon_reviews(
    domain: Literal["books", "dvd", "electronics", "kitchen"] = "books",
    *,
    subset: Literal["train", "test"] = "train",
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    r"""Load reviews of products, to tell the favorable from the others.

    Counts of the 5,000 most frequent words and pairs of words, the files of the
    experiments in [1]_, of four kinds of products: 2,000 reviews each to train on, and
    3,586 to 5,945 to test. Positive and negative are equally frequent. :math:`\log(1 +
    count)` and inverse document frequencies (``TfidfTransformer(sublinear_tf=True)``)
    serve better than the counts.

    Parameters
    ----------
    domain : {"books", "dvd", "electronics", "kitchen"}, default="books"
        Kind of products.
    subset : {"train", "test"}, default="train"
        Which reviews.
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether a file that is not there may be downloaded.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.

    Returns
    -------
    Bunch or tuple
        ``data``, CSR of shape (n, 5000), float32; ``target``, ndarray of shape (n,), 1
        is favorable; ``target_names``; ``DESCR``.

    References
    ----------
    .. [1] Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17,
       2016, section 5.1.3.

    Examples
    --------
    >>> from skdann.datasets import fetch_amazon_reviews
    >>> X, y = fetch_amazon_reviews("books", return_X_y=True)  # doctest: +SKIP
    >>> X_tgt = fetch_amazon_reviews("kitchen").data  # doctest: +SKIP
    """
    check_choice("domain", domain, ("books", "dvd", "electronics", "kitchen"))
    check_choice("subset", subset, ("train", "test"))
    arrays = load_arrays("amazon_reviews", data_home, download_if_missing)
    counts, indices, indptr, target = (
        arrays[f"{domain}_{subset}_{part}"]
        for part in ("data", "indices", "indptr", "y")
    )
    shape = len(target), int(arrays["n_features"])
    parts = counts.astype(np.float32), indices.astype(np.int32), indptr
    names = ["unfavorable", "favorable"]
    about = "Blitzer et al. 2007, prepared by Chen et al. 2012; BSD-3 repository."
    return make_bunch(csr_matrix(parts, shape=shape), target, names, about, return_X_y)


def fetch_gas_drift(
    domain: Literal[1, 2, 3, 4, 5, 6, 8, 9] = 1,
    *,
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load measurements of six gases by 16 sensors that drift over three years.

    Parameters
    ----------
    domain : {1, 2, 3, 4, 5, 6, 8, 9}, default=1
        Batch, in the order of time; 161 to 2,300 measurements. 3, 4 and 5 lack
        toluene.
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether a file that is not there may be downloaded.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.

    Returns
    -------
    Bunch or tuple
        ``data``, ndarray of shape (n, 128), float32; ``target``, ndarray of shape
        (n,), 0 to 5; ``target_names``, by the publisher's list of codes, with which
        its own table of counts does not agree; ``DESCR``.

    References
    ----------
    .. [1] A. Vergara et al., "Chemical gas sensor drift compensation using classifier
       ensembles", Sensors and Actuators B 166, 2012.

    Examples
    --------
    >>> from skdann.datasets import fetch_gas_drift
    >>> X, y = fetch_gas_drift(1, return_X_y=True)  # doctest: +SKIP
    """
    check_choice("domain", domain, (1, 2, 3, 4, 5, 6, 8, 9))
    arrays = load_arrays("gas_drift", data_home, download_if_missing)
    data, target = arrays[f"X_batch{domain}"], arrays[f"y_batch{domain}"]
    names = arrays["class_names"].tolist()
    about = "Vergara et al. 2012; UCI 224, CC BY 4.0."
    return make_bunch(data, target, names, about, return_X_y)


def fetch_heart_disease(
    domain: Literal["cleveland", "hungarian", "switzerland", "va"] = "cleveland",
    *,
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load patients of four hospitals, to tell who has a heart disease.

    The hospitals differ in who comes to them more than in how they measure: 46% of
    Cleveland's patients are ill, 36% of Budapest's, 75% of Long Beach's, 94% of those
    in Switzerland. That is no task for plain domain-adversarial training, and good to
    test a method's warnings with.

    Parameters
    ----------
    domain : {"cleveland", "hungarian", "switzerland", "va"}, default="cleveland"
        Hospital: 303, 294, 123 and 200 patients.
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether a file that is not there may be downloaded.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.

    Returns
    -------
    Bunch or tuple
        ``data``, ndarray of shape (n, 13), float32, NaN where missing (and some zeros
        of ``chol``, where it was not measured); ``target``, ndarray of shape (n,), 1
        is ill; ``feature_names``; ``target_names``; ``DESCR``.

    References
    ----------
    .. [1] R. Detrano et al., "International application of a new probability algorithm
       for the diagnosis of coronary artery disease", Am. J. Cardiology 64, 1989.

    Examples
    --------
    >>> from skdann.datasets import fetch_heart_disease
    >>> X, y = fetch_heart_disease("va", return_X_y=True)  # doctest: +SKIP
    """
    check_choice("domain", domain, ("cleveland", "hungarian", "switzerland", "va"))
    name = "heart_disease_hospitals"
    arrays = load_arrays(name, data_home, download_if_missing)
    data, target = arrays[f"X_{domain}"], arrays[f"y_{domain}"]
    columns = arrays["feature_names"].tolist()
    about = "Detrano et al. 1989; UCI 45, CC BY 4.0."
    names = ["healthy", "ill"]
    return make_bunch(data, target, names, about, return_X_y, feature_names=columns)


def fetch_adult(
    domain: Literal["men", "women"] = "men",
    *,
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load answers to a census, to tell who earns more than $50,000 a year.

    Parameters
    ----------
    domain : {"men", "women"}, default="men"
        Whose: 32,650 and 16,192.
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether a file that is not there may be downloaded.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.

    Returns
    -------
    Bunch or tuple
        ``data``, ndarray of shape (n, 14), float64: six numbers, then the codes of
        eight categories; ``target``, ndarray of shape (n,), 1 is more;
        ``feature_names``; ``categories``, dict of column to its categories in the order
        of their codes; ``target_names``; ``DESCR``.

    References
    ----------
    .. [1] R. Kohavi, "Scaling up the accuracy of naive-Bayes classifiers: a
       decision-tree hybrid", KDD 1996.

    Examples
    --------
    >>> from skdann.datasets import fetch_adult
    >>> X, y = fetch_adult("women", return_X_y=True)  # doctest: +SKIP
    """
    check_choice("domain", domain, ("men", "women"))
    arrays = load_arrays("adult", data_home, download_if_missing)
    numbers, categories = arrays["num_names"].tolist(), arrays["cat_names"].tolist()
    data = np.hstack([arrays["X_num"], arrays["X_cat"]]).astype(float)
    of_column = {
        name: arrays[f"cats_{name.replace('-', '_')}"].tolist() for name in categories
    }
    target = arrays["y"]
    columns = [*numbers, *categories]
    sex = {"men": "Male", "women": "Female"}[domain]
    rows = data[:, columns.index("sex")] == of_column["sex"].index(sex)
    more = {"feature_names": columns, "categories": of_column}
    about = "Kohavi 1996; UCI 2, CC BY 4.0."
    names = ["<=50K", ">50K"]
    return make_bunch(data[rows], target[rows], names, about, return_X_y, **more)


def fetch_phishing(
    domain: Literal["ip", "name"] = "ip",
    *,
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load properties of web sites, to tell those that fish for passwords.

    Parameters
    ----------
    domain : {"ip", "name"}, default="ip"
        What the address is made of: a number (3,793 sites) or a name (7,262).
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether a file that is not there may be downloaded.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.

    Returns
    -------
    Bunch or tuple
        ``data``, ndarray of shape (n, 30), float64, in {-1, 0, 1}; ``target``, ndarray
        of shape (n,), 0 is phishing; ``feature_names``; ``target_names``; ``DESCR``.

    References
    ----------
    .. [1] R. Mohammad, F. Thabtah and L. McCluskey, "An assessment of features related
       to phishing websites using an automated technique", ICITST 2012.

    Examples
    --------
    >>> from skdann.datasets import fetch_phishing
    >>> X, y = fetch_phishing("name", return_X_y=True)  # doctest: +SKIP
    """
    check_choice("domain", domain, ("ip", "name"))
    arrays = load_arrays("phishing", data_home, download_if_missing)
    rows = arrays["domain"] == ("ip", "name").index(domain)
    data, target = arrays["X"][rows].astype(float), arrays["y"][rows]
    columns = arrays["feature_names"].tolist()
    about = "Mohammad et al. 2012; UCI 327, CC BY 4.0."
    names = ["phishing", "legitimate"]
    return make_bunch(data, target, names, about, return_X_y, feature_names=columns)


def fetch_mnist(
    *,
    subset: Literal["train", "test"] = "train",
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load handwritten digits, gray images of 28 x 28.

    Parameters
    ----------
    subset : {"train", "test"}, default="train"
        60,000 images, or 10,000.
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether a file that is not there may be downloaded.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.

    Returns
    -------
    Bunch or tuple
        ``data``, ndarray of shape (n, 1, 28, 28), uint8; ``target``, ndarray of shape
        (n,), 0 to 9; ``target_names``; ``DESCR``.

    References
    ----------
    .. [1] Y. LeCun et al., "Gradient-based learning applied to document recognition",
       Proceedings of the IEEE 86, 1998.

    Examples
    --------
    >>> from skdann.datasets import fetch_mnist
    >>> X, y = fetch_mnist(subset="test", return_X_y=True)  # doctest: +SKIP
    """
    check_choice("subset", subset, ("train", "test"))
    arrays = load_arrays("mnist", data_home, download_if_missing)
    data, target = arrays[f"X_{subset}"], arrays[f"y_{subset}"]
    about = "LeCun et al. 1998."
    return make_bunch(data[:, None], target, DIGITS, about, return_X_y)


def fetch_usps(
    *,
    subset: Literal["train", "test"] = "train",
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load digits from envelopes, gray images of 16 x 16.

    Parameters
    ----------
    subset : {"train", "test"}, default="train"
        7,291 images, or 2,007.
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether a file that is not there may be downloaded.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.

    Returns
    -------
    Bunch or tuple
        ``data``, ndarray of shape (n, 1, 16, 16), float32, in [0, 1]; ``target``,
        ndarray of shape (n,), 0 to 9; ``target_names``; ``DESCR``.

    References
    ----------
    .. [1] J. Hull, "A database for handwritten text recognition research", IEEE TPAMI
       16, 1994.

    Examples
    --------
    >>> from skdann.datasets import fetch_usps
    >>> X, y = fetch_usps(subset="test", return_X_y=True)  # doctest: +SKIP
    """
    check_choice("subset", subset, ("train", "test"))
    arrays = load_arrays("usps", data_home, download_if_missing)
    data, target = arrays[f"X_{subset}"], arrays[f"y_{subset}"]
    data = (data[:, None] / 2000).astype(np.float32)
    return make_bunch(data, target, DIGITS, "Hull 1994.", return_X_y)


DIGITS = [str(digit) for digit in range(10)]


def make_bunch(data, target, target_names, about, return_X_y, **more):
    """Return what a loader returns."""
    target = target.astype(np.int64)
    if return_X_y:
        return data, target
    return Bunch(
        data=data, target=target, target_names=target_names, DESCR=about, **more
    )


def check_choice(name, value, choices):
    """Raise ValueError unless the value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}; got {value!r}.")

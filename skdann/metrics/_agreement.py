"""How far unlike models agree on the target, and what that says of each."""

import numpy as np
from scipy.special import entr, softmax

# The weight of a candidate is its mean agreement to this power. From 4 to 12 makes no
# difference of a standard error: docs/combining.md.
SHARPNESS = 8

# Who stands alone can be right all the same: then twenty labels are to say so.
LEAST_AGREEMENT = 0.1

# What is believed of errors before any number is known, it is believed as by so many
# rows. From .1 to 10 makes no difference: docs/regression.md.
PRIOR_ROWS = 3


def pairwise_kappa(votes, row_weight=None):
    r"""Return Cohen's kappa of each pair of candidates.

    .. math:: \kappa = \frac{p_o - p_e}{1 - p_e}

    for the share :math:`p_o` of rows that both predict alike and the share
    :math:`p_e` that they would by chance. 0 where both predict one class alone: that
    says nothing.

    Parameters
    ----------
    votes : ndarray of int of shape (n_candidates, n_rows)
        Classes that each candidate predicts.
    row_weight : ndarray of shape (n_rows,) or None, default=None
        How often each row counts.

    Returns
    -------
    kappa : ndarray of shape (n_candidates, n_candidates)
        At most 1.
    """
    n_classes = votes.max() + 1
    counts = [np.bincount(v, row_weight, minlength=n_classes) for v in votes]
    shares = np.stack(counts) / np.sum(counts[0])
    by_chance = shares @ shares.T
    alike = np.stack([np.average(votes == v, 1, row_weight) for v in votes])
    room = 1 - by_chance
    kappa = np.zeros_like(room)
    np.divide(alike - by_chance, room, out=kappa, where=room > 0)
    return kappa


def mean_agreement(votes, row_weight=None):
    """Return each candidate's mean kappa with the others, negative ones as 0.

    Where models are wrong, unlike models are wrong in unlike ways: whoever agrees with
    many is likelier to be right.

    Parameters
    ----------
    votes : ndarray of int of shape (n_candidates, n_rows)
        Classes that each candidate predicts.
    row_weight : ndarray of shape (n_rows,) or None, default=None
        How often each row counts.

    Returns
    -------
    agreement : ndarray of shape (n_candidates,)
        In [0, 1].
    """
    kappa = np.maximum(pairwise_kappa(votes, row_weight), 0)
    np.fill_diagonal(kappa, 0)
    return kappa.sum(axis=1) / max(1, len(votes) - 1)


def log_posterior(votes, n_right=0, row_weight=None):
    r"""Return the logarithm of how far each candidate is believed in, plus a constant.

    .. math:: 8 \log a_k + r_k

    for the mean agreement :math:`a_k` with the others, at least .1, and the number
    :math:`r_k` of labelled target rows that the candidate predicts rightly. The first
    term is what is believed without a label, the second how the labels change that: a
    row counts for whoever is right there against whoever is wrong, wherever it was
    drawn.

    Parameters
    ----------
    votes : ndarray of int of shape (n_candidates, n_rows)
        Classes that each candidate predicts for rows of the target.
    n_right : ndarray of shape (n_candidates,) or 0, default=0
        Labelled rows that each predicts rightly.
    row_weight : ndarray of shape (n_rows,) or None, default=None
        How often each row counts for the agreement.

    Returns
    -------
    ndarray of shape (n_candidates,)
    """
    agreement = np.maximum(mean_agreement(votes, row_weight), LEAST_AGREEMENT)
    return SHARPNESS * np.log(agreement) + n_right


def combination_weights(votes, n_right=0, row_weight=None):
    """Return how much each candidate counts in the mean of all, of sum 1.

    Parameters are those of :func:`log_posterior`.
    """
    return softmax(log_posterior(votes, n_right, row_weight))


def disagreement(votes, weights):
    """Return the entropy of the weighted votes on each row.

    Parameters
    ----------
    votes : ndarray of int of shape (n_candidates, n_rows)
        Classes that each candidate predicts.
    weights : ndarray of shape (n_candidates,)
        How much each counts, of sum 1.

    Returns
    -------
    entropy : ndarray of shape (n_rows,)
        0 where all agree.
    """
    shares = np.zeros((votes.shape[1], votes.max() + 1))
    rows = np.arange(votes.shape[1])
    for vote, weight in zip(votes, weights, strict=True):
        shares[rows, vote] += weight
    return np.maximum(entr(shares).sum(axis=1), 0)


def concordance(a, b, weight=None):
    r"""Return Lin's concordance of two predictions, 1 if they are the same.

    .. math:: \frac{2 \, \mathrm{cov}(a, b)}
                   {\mathrm{var}(a) + \mathrm{var}(b) + (\bar a - \bar b)^2}

    Parameters
    ----------
    a, b : ndarray of shape (n, n_outputs)
        Predictions; the result is the mean over the outputs.
    weight : ndarray of shape (n,) or None, default=None
        How often each row counts.
    """
    mean_a, mean_b = (np.average(v, axis=0, weights=weight) for v in (a, b))
    products = (a - mean_a) * (b - mean_b)
    squares = (a - mean_a) ** 2 + (b - mean_b) ** 2
    covariance, variance = (
        np.average(v, axis=0, weights=weight) for v in (products, squares)
    )
    total = variance + (mean_a - mean_b) ** 2
    ratio = np.zeros_like(total)
    np.divide(2 * covariance, total, out=ratio, where=total > 0)
    return float(ratio.mean())


def mean_concordance(predictions, row_weight=None):
    """Return each candidate's mean concordance with the others, negative ones as 0.

    Not with the mean of all: of those that are far off, one alone decides it.

    Parameters
    ----------
    predictions : ndarray of shape (n_candidates, n_rows, n_outputs)
        Numbers that each candidate predicts.
    row_weight : ndarray of shape (n_rows,) or None, default=None
        How often each row counts.

    Returns
    -------
    agreement : ndarray of shape (n_candidates,)
        In [0, 1]; 1 of one candidate alone.
    """
    n = len(predictions)
    if n == 1:
        return np.ones(1)
    agreement = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            found = concordance(predictions[i], predictions[j], row_weight)
            agreement[i, j] = agreement[j, i] = max(0.0, found)
    return agreement.sum(axis=1) / (n - 1)


def weights_of_numbers(predictions, squared_errors, row_weight=None):
    r"""Return how much each candidate counts in the mean of all, of sum 1.

    .. math:: w_k \propto a_k^8
              \Big(\nu s^2 + \sum_{i=1}^n e_{ki}^2\Big)^{-(\nu + n) / 2}

    for the mean concordance :math:`a_k` with the others, at least .1, and the errors
    :math:`e_{ki}` of the candidate on n rows of the target whose numbers are known. The
    second factor is the probability of such errors, if they are normal and nothing is
    known of their variance but that, as from :math:`\nu = 3` rows, it is about
    :math:`s^2`, the variance of the candidates' predictions for one row.

    Parameters
    ----------
    predictions : ndarray of shape (n_candidates, n_rows, n_outputs)
        Numbers that each candidate predicts, in deviations of y.
    squared_errors : ndarray of shape (n_candidates, n_labelled)
        Of each where the number is known, the mean over the outputs.
    row_weight : ndarray of shape (n_rows,) or None, default=None
        How often each row counts for the agreement.
    """
    agreement = np.maximum(mean_concordance(predictions, row_weight), LEAST_AGREEMENT)
    believed = SHARPNESS * np.log(agreement)
    variance = np.average(spread(predictions, softmax(believed)) ** 2, None, row_weight)
    squares = PRIOR_ROWS * variance + squared_errors.sum(axis=1)
    degrees = PRIOR_ROWS + squared_errors.shape[1]
    least = np.finfo(float).tiny  # candidates may be the same, and right
    return softmax(believed - degrees / 2 * np.log(np.maximum(squares, least)))


def spread(predictions, weights):
    """Return the deviation of the weighted predictions on each row.

    That of classes is :func:`disagreement`. By the deviation, not its square, two
    candidates' squared errors differ, where both are off by more than from each other.

    Parameters
    ----------
    predictions : ndarray of shape (n_candidates, n_rows, n_outputs)
        Numbers that each candidate predicts, in deviations of y.
    weights : ndarray of shape (n_candidates,)
        How much each counts, of sum 1.

    Returns
    -------
    deviation : ndarray of shape (n_rows,)
        The root of the mean over the outputs; 0 where all agree.
    """
    mean = np.tensordot(weights, predictions, axes=1)
    squares = ((predictions - mean) ** 2).mean(axis=2)
    return np.sqrt(weights @ squares)

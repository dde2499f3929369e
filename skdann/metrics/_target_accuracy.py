"""Estimate the accuracy on the target without its labels: from above, as a rule."""

import numpy as np

from ._proportions import calibrate


def accuracy_estimates(P_source, codes, P_target, others):
    r"""Estimate a classifier's accuracy on the target in several ways.

    With :math:`c`, the largest probability that is predicted for a row, once held-out
    source rows have calibrated it (one temperature), and the accuracy :math:`a_S` on
    these rows:

    - "mean confidence": the mean of :math:`c` over the target;
    - "difference of confidences" [1]_: :math:`a_S - (\bar c_S - \bar c_T)`;
    - "thresholded confidence" [2]_: the share of target rows with :math:`c \ge t`,
      where :math:`t` is the confidence that a share of :math:`a_S` of the source rows
      reaches;
    - "agreement": the mean share of target rows that other models predict alike, after
      [3]_; the more unlike they are, the more that says.

    All take for granted that what is not like the source shows in the confidence, or
    in disagreement. Where it does not, they are too high.

    Parameters
    ----------
    P_source : ndarray of shape (n_source, n_classes)
        Probabilities of source rows that were not trained on.
    codes : ndarray of int of shape (n_source,)
        Their classes.
    P_target : ndarray of shape (n_target, n_classes)
        Probabilities of target rows.
    others : ndarray of int of shape (n_others, n_target)
        Classes that other models predict for these.

    Returns
    -------
    estimates : dict of str to float
        By name, in [0, 1].

    References
    ----------
    .. [1] D. Guillory et al., "Predicting with Confidence on Unseen Distributions",
       ICCV 2021, arXiv:2107.03315.
    .. [2] S. Garg et al., "Leveraging Unlabeled Data to Predict Out-of-Distribution
       Performance", ICLR 2022, arXiv:2201.04234.
    .. [3] Y. Jiang et al., "Assessing Generalization of SGD via Disagreement", ICLR
       2022, arXiv:2106.13799.
    """
    confidence_source, confidence = (
        calibrate(P_source, codes, P).max(axis=1) for P in (P_source, P_target)
    )
    accuracy = np.mean(P_source.argmax(axis=1) == codes)
    threshold = np.quantile(confidence_source, 1 - accuracy)
    difference = confidence_source.mean() - confidence.mean()
    estimates = {
        "mean confidence": confidence.mean(),
        "difference of confidences": accuracy - difference,
        "thresholded confidence": np.mean(confidence >= threshold),
        "agreement": np.mean(others == P_target.argmax(axis=1)),
    }
    return {name: float(np.clip(value, 0, 1)) for name, value in estimates.items()}

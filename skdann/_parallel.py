"""Run jobs by joblib, and have results as they come where the backend can."""

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel


def parallel_as_completed(n_jobs, **options):
    """Return a ``Parallel`` that yields results in the order of their completion.

    An interrupt then loses the jobs that are running, not those that are done. With a
    backend that can't, results are in a list, when all are done.

    Parameters
    ----------
    n_jobs : int or None
        Jobs at once.
    **options
        Of ``Parallel``.
    """
    backend, _ = get_active_backend()
    can = effective_n_jobs(n_jobs) == 1 or backend.supports_return_generator
    return_as = "generator_unordered" if can else "list"
    return Parallel(n_jobs=n_jobs, return_as=return_as, **options)

"""Run jobs by joblib, and have results as they come where the backend can."""

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

from ._warn import collected_warnings, warn


def as_completed(jobs, n_jobs, **options):
    """Yield the results of jobs in the order of their completion.

    An interrupt then loses the jobs that are running, not those that are done. With a
    backend that can't, results come when all are done. What a job warns of is warned of
    here, where the user's line is known: in a worker it is not.

    Parameters
    ----------
    jobs : iterable of callable
        Each is called without arguments.
    n_jobs : int or None
        Jobs at once.
    **options
        Of ``Parallel``.

    Yields
    ------
    object
        What a job returned.
    """
    backend, _ = get_active_backend()
    can = effective_n_jobs(n_jobs) == 1 or backend.supports_return_generator
    return_as = "generator_unordered" if can else "list"
    parallel = Parallel(n_jobs=n_jobs, return_as=return_as, **options)
    for result, warnings in parallel(delayed(_run)(job) for job in jobs):
        for message, category in warnings:
            warn(message, category)
        yield result


def _run(job):
    with collected_warnings() as warnings:
        return job(), warnings

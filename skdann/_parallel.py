"""Run jobs by joblib, and have results as they come where the backend can."""

import multiprocessing
import threading
import time
from contextlib import closing
from functools import partial

import torch
from joblib import cpu_count, effective_n_jobs, parallel_config
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_info, threadpool_limits

from ._progress import logger
from ._warn import collected_warnings, silent_libraries, warn

# Seconds until workers begin their first job: all of them import torch at once.
START_UP = 5.0

# How often a job is begun that ends its process: beside others, then by itself.
MOST_RUNS = 3

# How joblib, Dask and Ray say so; by name, as they need not be installed.
_LOST_WORKER = {"TerminatedWorkerError", "KilledWorker", "RayActorError"}


class LostJobError(RuntimeError):
    """A job has ended the process that ran it, each time."""


def as_completed(jobs, n_jobs, **options):
    """Yield the results of jobs in the order of their completion.

    An interrupt then loses the jobs that are running, not those that are done. With a
    backend that can't, results come when all are done.

    Where a worker process is ended, by the system for want of memory or by a user, the
    jobs that may have been in it are run again, each with no other beside it: so one
    that ends its process each time is known from the others.

    Parameters
    ----------
    jobs : dict of str to callable
        By name, each is called without arguments.
    n_jobs : int or None
        Jobs at once.
    **options
        Of ``Parallel``.

    Yields
    ------
    object, list of (str, type)
        What a job returned, and what it warned of, for :func:`skdann._warn.warn_again`
        here, where the user's line is known: in a worker it is not.

    Raises
    ------
    LostJobError
        If the process of a job has ended ``MOST_RUNS`` times.
    """
    left, begun = dict(jobs), []
    try:
        with closing(_results(jobs, begun, n_jobs, options)) as results:
            for name, *done in results:
                del left[name]
                yield done
        return
    except Exception as error:
        if not _tells_of_lost_worker(error):
            raise
        lost = [name for name in begun if name in left]
    warn(
        "A worker process has ended before its time, maybe for want of memory. What it "
        f"may have been at is run again, one after the other: {'; '.join(lost)}. "
        "Results will be the same."
    )
    for name in lost:
        yield _run_alone(name, left.pop(name), n_jobs)
    yield from as_completed(left, n_jobs, **options)


def _run_alone(name, job, n_jobs):
    """Return what a lost job returns and warns of, from a worker by itself."""
    for _ in range(MOST_RUNS - 1):
        try:
            [(_, *done)] = _results({name: job}, [], n_jobs, {})
            return done
        except Exception as error:
            if not _tells_of_lost_worker(error):
                raise
    raise LostJobError(
        f"The process of {name} has ended {MOST_RUNS} times before it was done, the "
        "last times with no other beside it. Either it takes more memory than there "
        "is, or code in it ends the process; the log of the system may tell."
    )


def _tells_of_lost_worker(error):
    """Whether an error of a backend says that the process of a job has ended."""
    return not _LOST_WORKER.isdisjoint(cls.__name__ for cls in type(error).__mro__)


def _results(jobs, begun, n_jobs, options):
    """Yield name, result and warnings of jobs; names go to ``begun`` as they begin."""
    backend, _ = get_active_backend()
    can = effective_n_jobs(n_jobs) == 1 or backend.supports_return_generator
    return_as = "generator_unordered" if can else "list"
    parallel = Parallel(n_jobs=n_jobs, return_as=return_as, **options)
    results = parallel(_each(list(jobs.items()), begun))
    try:
        # "yield from" would end them before it is silent
        for result in results:  # noqa: UP028
            yield result
    finally:
        if can:  # ends the jobs that are running, of which joblib would warn
            with silent_libraries():
                results.close()


def _each(jobs, begun):
    for name, job in jobs:
        begun.append(name)
        yield delayed(_run)(name, job)


def _run(name, job):
    with collected_warnings() as warnings:
        return name, job(), warnings


def spread_if_long(jobs, start_up=START_UP):
    """Yield the results of jobs; if they take long, most come from other processes.

    The first jobs are done here, one after the other, and if all of them are short, so
    are the rest. Otherwise those that are left go to one worker for each core. They
    fetch one at a time: where another program has the core, fewer are done. Results
    are the same to the bit, wherever they are computed.

    What workers can't do is done here, as jobs that can't be pickled; but not what has
    ended a worker each time.

    Parameters
    ----------
    jobs : dict of str to callable
        By name, each is called without arguments.
    start_up : float
        Seconds that it takes to start workers. So long must this process have computed,
        and three times as much must be left.

    Yields
    ------
    object, list of (str, type)
        As :func:`as_completed`.
    """
    left = dict(jobs)
    n_workers = 1
    began, cpu_began = time.perf_counter(), time.process_time()
    while left and n_workers == 1:
        name = next(iter(left))
        yield from as_completed({name: left.pop(name)}, 1)
        cpu = time.process_time() - cpu_began
        wall = time.perf_counter() - began
        # a wait for a core is no work: on a busy machine workers would wait as well
        if pays(min(wall, cpu), len(jobs) - len(left), len(left), start_up):
            n_workers = _count_workers(len(left), cpu / wall)
    if left:
        yield from _from_workers(left, n_workers)
        yield from as_completed(left, 1)


def pays(seconds, n_done, n_left, start_up):
    """Return whether workers would do the jobs that are left sooner.

    Two cores do 1.6 times what one does: they make up for the start of workers if it
    takes 2.7 times as long to do the rest here, as long as each job took so far. The
    first one imports modules, so that a few seconds tell nothing.

    >>> pays(6.0, 1, 3, start_up=5.0), pays(6.0, 1, 2, start_up=5.0)
    (True, False)
    >>> pays(2.0, 1, 99, start_up=5.0)
    False
    """
    return seconds > start_up and seconds / n_done * n_left > 3 * start_up


def _count_workers(n_left, n_used):
    """Return how many workers find cores, if jobs here have used so many by threads."""
    with silent_libraries():  # where a system does not tell physical cores
        n_cores = cpu_count(only_physical_cores=True)
    return max(1, min(n_left, round(n_cores / max(1, n_used))))


def _from_workers(left, n_workers):
    """Yield the results of what workers can do of the jobs left, and remove those."""
    n_threads = torch.get_num_threads()
    limits = {lib["prefix"]: lib["num_threads"] for lib in threadpool_info()}
    jobs = {
        name: partial(_run_in_worker, name, job, n_threads, limits)
        for name, job in left.items()
    }
    try:
        for (name, result), warnings in as_completed(jobs, n_workers, batch_size=1):
            del left[name]
            yield result, warnings
    except LostJobError:  # it would end this process as well
        raise
    except Exception as error:  # if it is of a job, that raises it here once more
        logger.debug("workers can't do it: %r", error)


def _run_in_worker(name, job, n_threads, limits):
    """Run a job on the threads of who has sent it: other numbers round differently.

    Torch's number is set as well, as threadpoolctl does not find its MKL.
    """
    before = torch.get_num_threads()
    with threadpool_limits(limits):
        torch.set_num_threads(n_threads)
        try:
            return name, without_jobs(job)
        finally:
            torch.set_num_threads(before)


def without_jobs(work, *args, **kwargs):
    """Call a function without joblib's workers, as this already is one of them.

    What has ``n_jobs`` of its own, such as a preprocessing, would wait for workers that
    are all taken.
    """
    with parallel_config("sequential"):
        return work(*args, **kwargs)


def may_start_workers():
    """Return whether this process may start others though nobody has asked for them.

    It may not where the caller has told joblib how to compute, in a worker of joblib
    or multiprocessing, or in a thread, beside which others may do the same.
    """
    backend, n_jobs = get_active_backend()
    # a preference counts only where no backend is set
    preferred, _ = get_active_backend(prefer="threads")
    is_told = n_jobs is not None or _of_threads(backend) or not _of_threads(preferred)
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and not is_told and multiprocessing.parent_process() is None


def _of_threads(backend):
    return getattr(backend, "uses_threads", False)

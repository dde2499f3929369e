"""Put back what was changed, though Ctrl-C is pressed again meanwhile."""


def repeat_if_interrupted(action, *args):
    """Call; if it is interrupted, call it again before the interrupt goes on.

    Ctrl-C raises an exception between any two instructions, also in what puts things
    back after an earlier one.

    Parameters
    ----------
    action : callable
        May be repeated from the beginning, however far it came.
    *args
        For it.
    """
    try:
        action(*args)
    except BaseException:  # a handler of signals may raise anything
        action(*args)
        raise

"""The one error that is the user's to mend."""


class InputError(Exception):
    """Files or options can't be used; the message says why, and what to do.

    The command prints it in one piece on stderr, writes nothing, and exits with 2.
    """

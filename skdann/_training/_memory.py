"""Say what to lower where memory does not suffice."""

from contextlib import contextmanager

_SIGNS = ("out of memory", "allocate memory", "not enough memory", "overflow")


@contextmanager
def memory_explained(device, batch_size):
    """Turn torch's errors of a full memory into a MemoryError with advice.

    Parameters
    ----------
    device : torch.device
        Whose memory it is.
    batch_size : int
        Rows of a step.
    """
    try:
        yield
    except RuntimeError as error:  # torch.cuda.OutOfMemoryError is one
        if not any(sign in str(error) for sign in _SIGNS):
            raise
        raise MemoryError(
            f"The network, or a step of training it, needs more memory than device "
            f"{device} has. Lower the widths of its layers, for example "
            f"hidden_layer_sizes, or batch_size={batch_size}."
        ) from error

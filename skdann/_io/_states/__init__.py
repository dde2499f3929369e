"""What files hold of transformers: a table of classes, and of what each may be."""

from ._known import Known
from ._objects import (
    NotKnownError,
    describe_object,
    describe_routing,
    restore_object,
    restore_routing,
)

__all__ = [
    "Known",
    "NotKnownError",
    "describe_object",
    "describe_routing",
    "restore_object",
    "restore_routing",
]

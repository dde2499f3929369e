"""Document what is our own: what scikit-learn and torch bring is documented there."""

import inspect


def setup(app):
    """Skip members that another library defines."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-skip-member", skip_foreign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def skip_foreign(app, what, name, member, skip, options):
    """Return True for a member to skip, None to leave the decision to others."""
    function = inspect.unwrap(getattr(member, "fget", member))
    module = getattr(function, "__module__", None) or ""
    return True if module.split(".")[0] in ("sklearn", "torch") else None

"""Axes for the panels of a display: new ones, or within those that the user passes."""

import numpy as np

SOURCE, TARGET = "tab:blue", "tab:orange"


def make_panels(ax, n_rows, n_columns, *, size=(4.0, 3.4)):
    """Return a figure and an array of Axes, n_rows by n_columns.

    Parameters
    ----------
    ax : Axes, array of Axes or None
        None makes a figure; one Axes is divided; an array is used as it is.
    n_rows, n_columns : int
        Panels that are needed.
    size : (float, float), default=(4.0, 3.4)
        Width and height of a panel of a new figure, in inches.

    Returns
    -------
    figure : Figure
    axes : ndarray of Axes, of shape (n_rows, n_columns)
    """
    plt = _import_pyplot()
    shape = (n_rows, n_columns)
    if ax is None:
        width, height = size
        return plt.subplots(
            *shape,
            figsize=(width * n_columns, height * n_rows),
            layout="constrained",
            squeeze=False,
        )
    if isinstance(ax, plt.Axes):
        if shape == (1, 1):
            return ax.figure, np.array([[ax]])
        ax.set_axis_off()
        return ax.figure, _divide(ax, *shape)
    axes = np.asarray(ax, dtype=object)
    if axes.size != n_rows * n_columns:
        raise ValueError(
            f"ax holds {axes.size} Axes, but {n_rows * n_columns} are drawn on: pass "
            f"plt.subplots({n_rows}, {n_columns})[1], a single Axes, or None."
        )
    return axes.flat[0].figure, axes.reshape(shape)


def _divide(ax, n_rows, n_columns):
    """Return Axes that divide the area of one, with or without a subplot grid."""
    if ax.get_subplotspec() is not None:
        grid = ax.get_subplotspec().subgridspec(n_rows, n_columns)
        return grid.subplots(squeeze=False)
    left, bottom, right, top = ax.get_position().extents
    edges = {"left": left, "bottom": bottom, "right": right, "top": top}
    spaces = {"wspace": 0.3, "hspace": 0.5}  # no layout engine makes room for titles
    grid = ax.figure.add_gridspec(n_rows, n_columns, **edges, **spaces)
    places = [grid[i].get_position(ax.figure) for i in range(n_rows * n_columns)]
    axes = [ax.figure.add_axes(place.bounds) for place in places]
    return np.array(axes).reshape(n_rows, n_columns)


def _import_pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Displays are drawn by matplotlib, which is not installed: "
            "pip install matplotlib."
        ) from error
    return plt


def class_colors(n_classes):
    """Return a color for each class, of shape (n_classes, 4), last those of domains."""
    plt = _import_pyplot()
    if n_classes <= 10:
        return plt.get_cmap("tab10")((np.arange(n_classes) + 2) % 10)
    return plt.get_cmap("turbo")(np.linspace(0.05, 0.95, n_classes))


def place_legend(ax):
    """Put the legend beside a panel, where it hides nothing."""
    ax.legend(
        loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small"
    )

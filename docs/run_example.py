"""Run an example of the gallery without a display, and save its figures.

`python docs/run_example.py docs/examples/plot_shifted_moons.py --output folder`
"""

import argparse
import runpy
from pathlib import Path

import matplotlib as mpl


def main():
    """Run the example that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("example", type=Path)
    parser.add_argument("--output", type=Path, default=Path("demo-output"))
    args = parser.parse_args()

    mpl.use("Agg")
    runpy.run_path(str(args.example), run_name="__main__")
    for path in save_figures(args.example.stem.removeprefix("plot_"), args.output):
        print(f"Figure: {path}")


def save_figures(name, folder):
    """Write all open figures as PNG files; return their paths."""
    import matplotlib.pyplot as plt  # once the backend is chosen

    folder.mkdir(parents=True, exist_ok=True)
    numbers = plt.get_fignums()
    for number in numbers:
        suffix = f"_{number}" if len(numbers) > 1 else ""
        path = folder / f"{name}{suffix}.png"
        plt.figure(number).savefig(path, dpi=120, bbox_inches="tight")
        yield path


if __name__ == "__main__":
    main()

"""Two clinics, as files that people have."""

import numpy as np
import pandas as pd

from skdann._cli import main


def clinic(n, seed, scale=1.0, sexes=("m", "f")):
    """Return patients; who is ill has a high pressure, in units of the clinic."""
    rng = np.random.default_rng(seed)
    pressure, age = rng.normal(140, 20, n), rng.integers(20, 90, n)
    days = pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    frame = pd.DataFrame(
        {
            "patient": [f"{seed}-{i}" for i in rng.permutation(n)],
            "pressure": (pressure * scale).round(2),
            "age": age.astype(object),
            "sex": rng.choice(sexes, n),
            "seen": (pd.Timestamp("2024-01-01") + days).strftime("%Y-%m-%d"),
            "country": "fr",
        }
    )
    frame.loc[:4, "age"] = "?"
    frame["outcome"] = np.where(pressure + age / 10 > 145, "ill", "well")
    return frame


class Clinics:
    """Files in a folder, and the command on them."""

    def __init__(self, folder):
        self.folder = folder
        self.source = clinic(90, 0)
        self.target = clinic(70, 1, sexes=("m", "f", "unknown"))

    def write(self, **of_target):
        """Write both; return their paths. The target has no labels."""
        paths = [str(self.folder / name) for name in ("a.csv", "b.csv")]
        self.source.to_csv(paths[0], index=False)
        self.target.drop(columns="outcome", errors="ignore").to_csv(
            paths[1], index=False, **of_target
        )
        return paths

    def adapt(self, *options, label="outcome", **of_target):
        """Run the command quickly, and return its exit code."""
        arguments = [*self.write(**of_target), "--label", label, "--quick", *options]
        return main(["adapt", *arguments, "--output", str(self.output)])

    @property
    def output(self):
        return self.folder / "out"

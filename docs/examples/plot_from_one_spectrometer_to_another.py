"""From one spectrometer to another
================================

A laboratory has calibrated a near-infrared spectrometer: it predicts the moisture of
flour from its spectrum. A second instrument of another maker stands in the mill. It
reads other absorbances for the same flour: its gain depends on the wavelength, its
baseline is tilted, its wavelengths are off by three nanometers. Moisture has been
measured for samples of the first alone; of the second there are spectra.

The calibration of the first instrument is useless on the second. Chemists scale each
instrument by itself, and here that is all there is to gain: a network does as well as
PLS with these scales, adapted or not. ``DANNRegressor`` finds out by itself that each
instrument has its own (``standardize="auto"``). The spectra are made here, so that the
truth is known, and nothing is downloaded.
"""

# %%
# Two instruments, different samples
# ----------------------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cross_decomposition import PLSRegression

from skdann import BaselineRegressor, DANNRegressor
from skdann.inspection import AlignmentDisplay

WAVELENGTHS = np.linspace(1100, 2500, 150)  # nm
# Centers and widths of the bands of water, oil, protein and starch, in nm.
BANDS = [
    [(1450, 60), (1940, 50)],
    [(1210, 30), (1730, 35), (2310, 40)],
    [(1510, 50), (2050, 45), (2180, 40)],
    [(1580, 70), (2100, 60), (2280, 60)],
]


def absorbances(shares, wavelengths):
    """Return spectra of mixtures: the sum of the bands of what they hold."""
    bands = np.array(
        [
            sum(np.exp(-(((wavelengths - c) / w) ** 2)) for c, w in of_substance)
            for of_substance in BANDS
        ]
    )
    return shares @ bands


def make_samples(n, rng):
    """Return shares of water, oil, protein and starch, and moisture in percent."""
    water, oil = rng.normal(0.13, 0.015, n), rng.normal(0.02, 0.005, n)
    protein = rng.normal(0.12, 0.02, n)
    return np.stack([water, oil, protein, 1 - water - oil - protein], 1), 100 * water


def measure(shares, instrument, rng):
    """Return what an instrument reads, scattered light and noise included."""
    scatter = rng.normal(1, 0.03, (len(shares), 1))
    noise = rng.normal(0, 0.001, (len(shares), len(WAVELENGTHS)))
    if instrument == "laboratory":
        return scatter * absorbances(shares, WAVELENGTHS) + noise
    gain = 1.1 + 0.15 * np.sin(WAVELENGTHS / 300)
    baseline = 0.1 + 0.1 * (WAVELENGTHS - 1100) / 1400
    return gain * scatter * absorbances(shares, WAVELENGTHS + 3) + baseline + noise


def make_data(seed):
    """Return X, y; X_tgt without numbers; and spectra of the mill to be judged by."""
    rng = np.random.default_rng(seed)
    (shares, y), (shares_tgt, _), (shares_test, y_test) = (
        make_samples(n, rng) for n in (120, 100, 100)
    )
    X = measure(shares, "laboratory", rng)
    X_tgt, X_test = (measure(s, "mill", rng) for s in (shares_tgt, shares_test))
    return X, y, X_tgt, X_test, y_test


X, y, X_tgt, X_test, y_test = make_data(0)
figure, ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
ax.plot(WAVELENGTHS, X[:20].T, color="tab:blue", linewidth=0.5)
ax.plot(WAVELENGTHS, X_tgt[:20].T, color="tab:orange", linewidth=0.5)
ax.plot([], [], color="tab:blue", label="laboratory")
ax.plot([], [], color="tab:orange", label="mill")
ax.set(xlabel="wavelength in nm", ylabel="absorbance", title="Spectra of flour")
legend = ax.legend(frameon=False, fontsize="large")

# %%
# Six calibrations
# ----------------
# The error of the predicted moisture in the mill, in points of moisture: root mean
# square, mean and standard deviation over three makings of all samples.
MODELS = {
    "PLS, as it is": BaselineRegressor(PLSRegression(8), standardize=None),
    "PLS, each instrument by itself": BaselineRegressor(PLSRegression(8)),
    "ridge, each instrument by itself": BaselineRegressor(),
    "network, source only": DANNRegressor(
        lambda_max=0, standardize="source", random_state=0
    ),
    "network, each instrument by itself": DANNRegressor(
        lambda_max=0, standardize="domain", random_state=0
    ),
    "network, adapted": DANNRegressor(random_state=0),
}

errors = {"the mean of the laboratory": []} | {name: [] for name in MODELS}
for seed in range(3):
    X, y, X_tgt, X_test, y_test = make_data(seed)
    predicted = {
        name: model.fit(X, y, X_tgt).predict(X_test) for name, model in MODELS.items()
    }
    predicted["the mean of the laboratory"] = y.mean()
    for name, values in predicted.items():
        errors[name].append(np.sqrt(np.mean((values - y_test) ** 2)))
for name, values in errors.items():
    print(f"{name:36s}{np.mean(values):6.2f} +- {np.std(values):.2f}")

# %%
# Moisture, predicted and measured
# --------------------------------
# The last of these makings: on the line are the samples that are predicted rightly.
fig, ax = plt.subplots(figsize=(5, 4.4), layout="constrained")
for name, marker in (
    ("PLS, as it is", "x"),
    ("PLS, each instrument by itself", "o"),
    ("network, adapted", "."),
):
    ax.plot(y_test, predicted[name], marker, label=name)
ax.axline((y_test.mean(),) * 2, slope=1, color="black", linewidth=0.8)
ax.set(xlabel="moisture, measured, in percent", ylabel="moisture, predicted")
ax.legend(frameon=False)

# %%
# What the network reads
# ----------------------
# "auto" has come to scale each instrument by itself:
network = MODELS["network, adapted"]
print(network.standardize_)

# %%
# On the left the spectra as the instruments read them, on the right the features of the
# adapted network: there the instruments lie on one another.
views = {
    "Spectra": (X, X_tgt),
    "Features": (network.transform(X, domain="source"), network.transform(X_tgt)),
}
display = AlignmentDisplay.from_views(views, labels=None).plot()

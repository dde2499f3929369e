"""The order of the gallery."""

EXAMPLES = [
    "plot_tumors_measured_differently.py",
    "plot_five_sites.py",
    "plot_from_one_spectrometer_to_another.py",
    "plot_choosing_lambda.py",
    "plot_reading_the_report.py",
    "plot_probabilities_from_few_labels.py",
    "plot_the_next_batches.py",
    "plot_prediction_sets.py",
    "plot_what_the_model_relies_on.py",
    "plot_own_network.py",
    "plot_shifted_moons.py",
    "plot_digits_on_photographs.py",
]


class Order:
    """Sort the examples as they should be read; one that is not listed comes last."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        """Return the position of an example."""
        return EXAMPLES.index(name) if name in EXAMPLES else len(EXAMPLES)

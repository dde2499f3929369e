"""The loop of training, over the epochs and the steps of one net or of a stack."""

import torch

from ._settings import flushed_denormals


class EpochLoop:
    """Who has ``engine_``, ``notify`` and the rest that is used here can be trained.

    What watches training is a skorch callback and nothing else.
    """

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Train until there is nothing left to do, one whole epoch after the other."""
        batches = self.get_iterator(X, training=True)
        data = {"dataset_train": X, "dataset_valid": None}
        while not self.is_over:
            with self.whole_epoch():
                self.notify("on_epoch_begin", **data)
                self.choose_engine()
                batches.reuses_rows = self.engine_.reads_rows_at_once
                batches.keeps_sparse = self.engine_.reads_sparse_rows
                self.run_single_epoch(batches, training=True, prefix="train")
                self.notify("on_epoch_end", **data)
        return self

    def run_single_epoch(self, iterator, training, prefix, **fit_params):
        """Take the steps of an epoch."""
        self._set_training(True)
        self.engine_.begin_epoch(len(iterator))
        with torch.enable_grad(), flushed_denormals(), self.seeded_masks():
            self.take_steps(iterator)
        self.set_epoch_losses(self.engine_.finish_epoch())

    def take_steps(self, batches):
        """Take a step on each batch."""
        for batch in batches:
            self.engine_.step(batch, self.progress_of_networks)
            self.n_steps_ += 1

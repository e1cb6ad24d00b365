"""Callbacks of `fit`: their base class, and those that stop early, keep weights or average them."""

from collections.abc import Iterable

import numpy as np

from .checkpoint import npz_path, save
from .files import make_folder, path_of
from .ops.expect import real, whole
from .state import below, counter, prefixed


class Callback:
    """What `fit` calls; override what you need. Each method gets the `Run`.

    A callback that must remember something when a run is resumed returns it from `state_dict`, and
    begins anew in `on_train_begin` where `run.epoch` is 0, as it may serve another run.
    """

    def on_train_begin(self, run):
        """Before the first epoch, or before the next one of a run that is resumed."""

    def on_epoch_begin(self, run):
        """Before each epoch."""

    def on_batch_end(self, run):
        """After each update; `run.loss` and `run.accuracy` are the epoch's means so far."""

    def on_evaluation_begin(self, run):
        """Before the validation, and before `on_epoch_end` and `on_train_end`."""

    def on_epoch_end(self, run):
        """After each epoch and its validation; `run.history` has its numbers."""

    def on_evaluation_end(self, run):
        """After `on_epoch_end`, before training goes on; also if something raised meanwhile."""

    def on_train_end(self, run):
        """After the last epoch, or an interruption."""

    def state_dict(self):
        """What a checkpoint must hold for this callback: arrays by name."""
        return {}

    def load_state_dict(self, state):
        """Restore what `state_dict` returned."""


def callback_list(callbacks):
    """The callbacks as a list.

    Raises
    ------
    TypeError
        If they are not a sequence of instances of Callback.
    """
    if isinstance(callbacks, Callback):
        raise TypeError(
            "callbacks expects a sequence, got one callback: put it into a list, "
            f"callbacks=[{type(callbacks).__name__}(...)]."
        )
    if isinstance(callbacks, type) or not isinstance(callbacks, Iterable):
        raise TypeError(
            f"callbacks expects a sequence of callbacks, got {callbacks!r}: make an instance and "
            "put it into a list, such as callbacks=[mg.EarlyStopping()]."
        )
    found = list(callbacks)
    for callback in found:
        if not isinstance(callback, Callback):
            raise TypeError(
                f"callbacks expects instances of mg.Callback, got {callback!r} among them: call a "
                "class to make one, as in EarlyStopping(); derive a class of your own from it."
            )
    if len(set(map(id, found))) < len(found):
        raise ValueError(
            f"callbacks expects each callback once, got one twice in {found!r:.80}: leave it out "
            "in one place, or make a second one."
        )
    return found


class _Best(Callback):
    """Finds the epoch whose number in the history was best: lowest, or highest for an accuracy."""

    def __init__(self, monitor):
        self.monitor = monitor
        self.best_epoch = 0

    def on_train_begin(self, run):
        if run.epoch == 0:
            self.best_epoch = 0
        if self.monitor in ("val_loss", "val_accuracy") and run.validation is None:
            raise ValueError(
                f"{type(self).__name__} with monitor={self.monitor!r} expects validation data, got "
                'none: give fit a validation pair, or take monitor="loss".'
            )

    def improved(self, run):
        if self.monitor not in run.history:
            known = ", ".join(run.history) or "nothing"
            raise ValueError(
                f"monitor={self.monitor!r} is not in the history, which has {known}: "
                "val_ numbers need validation data."
            )
        sign = 1 if "accuracy" in self.monitor else -1
        scores = np.nan_to_num(sign * np.array(run.history[self.monitor]), nan=-np.inf)
        self.best_epoch = int(scores.argmax()) + 1
        return self.best_epoch == run.epoch


class EarlyStopping(_Best):
    """End training when `monitor` has not improved for `patience` epochs (Prechelt 1998).

    The model ends up with the weights of the best epoch.

    Examples
    --------
    >>> EarlyStopping(patience=3, monitor="val_accuracy").best_epoch
    0
    """

    def __init__(self, patience=5, monitor="val_loss"):
        super().__init__(monitor)
        self.patience = whole("patience", patience)
        self.weights = {}  # of the best epoch

    def on_train_begin(self, run):
        super().on_train_begin(run)
        if run.epoch == 0:
            self.weights = {}
        if self.weights:
            run.model.matching(self.weights)  # raises if they are of another model

    def on_epoch_end(self, run):
        if self.improved(run):
            self.weights = run.model.state_dict()
        run.stop |= run.epoch - self.best_epoch >= self.patience

    def on_train_end(self, run):
        if self.weights:
            run.model.load_state_dict(self.weights)

    def state_dict(self):
        return {"best_epoch": np.array(self.best_epoch), **prefixed("weights", self.weights)}

    def load_state_dict(self, state):
        self.best_epoch = counter("best_epoch", state)
        self.weights = below("weights", state)


class SaveBest(_Best):
    """Write the weights to a file after each epoch that is the best so far.

    Parameters
    ----------
    path : path-like
        Ending in .npz; read it with `mg.load`.
    monitor : str
    """

    def __init__(self, path, monitor="val_loss"):
        super().__init__(monitor)
        self.path = npz_path("SaveBest", path)

    def on_train_begin(self, run):
        super().on_train_begin(run)
        make_folder(self.path.parent)  # raises now if that is a file

    def on_epoch_end(self, run):
        if self.improved(run):
            save(self.path, run.model)


class KeepLast(Callback):
    """Write the weights after each epoch, as epoch-0001.npz and so on, and keep the last `k`."""

    def __init__(self, folder, k=3):
        self.folder = path_of("KeepLast", folder)
        self.k = whole("k", k, least=1)

    def on_train_begin(self, run):
        make_folder(self.folder)  # raises now if that is a file

    def on_epoch_end(self, run):
        save(self._path(run.epoch), run.model)
        if run.epoch > self.k:
            self._path(run.epoch - self.k).unlink(missing_ok=True)

    def _path(self, epoch):
        return self.folder / f"epoch-{epoch:04}.npz"


class AverageWeights(Callback):
    """An exponential moving average of the weights, used for validation and at the end of training.

        average = decay * average + (1 - decay) * weights

    after each batch (Polyak and Juditsky 1992); float buffers are averaged too. At first the
    decay is smaller, (1 + updates) / (10 + updates), so that the initial weights soon fade.
    """

    def __init__(self, decay=0.999):
        self.decay = real("decay", decay, least=0, below=1)
        self.updates = 0
        self.average = {}  # by the names of the weights

    def on_train_begin(self, run):
        if run.epoch == 0:
            self.updates = 0
            self.average = run.model.state_dict()
        self.average = run.model.matching(self.average)  # in the dtypes of the weights
        if "updates" in self.average:
            raise ValueError(
                "AverageWeights keeps its count under the name updates in checkpoints, but the "
                "model has weights of that name: give them another one."
            )

    def on_batch_end(self, run):
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        arrays = dict(run.model.named_arrays())
        for name, average in self.average.items():
            weights = arrays[name]
            if average.dtype.kind == "f":
                average += (1 - decay) * (weights - average)
            else:
                average[...] = weights

    def on_evaluation_begin(self, run):
        kept = run.model.state_dict()
        run.model.load_state_dict(self.average)
        self.average = kept

    on_evaluation_end = on_evaluation_begin  # exchanges them back

    def state_dict(self):
        return {"updates": np.array(self.updates), **self.average}

    def load_state_dict(self, state):
        self.updates = counter("updates", state)
        self.average = {name: array for name, array in state.items() if name != "updates"}

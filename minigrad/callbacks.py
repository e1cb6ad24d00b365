"""Callbacks of `fit`: what they see, and those that stop early, keep weights or average them."""

from pathlib import Path

import numpy as np

from .checkpoint import below, prefixed, save


class History(dict):
    """What `fit` measured: a dict of lists with one number for each epoch.

    Keras' keys: `loss`, `accuracy`, `val_loss`, `val_accuracy`; accuracies are missing where the
    targets are no classes, `val_` where there is no validation data. `loss` and `accuracy` are
    means over the batches of the epoch, each taken before its update.

    Attributes
    ----------
    interrupted : bool
        Whether Ctrl-C ended the training early.
    """

    interrupted = False


class Run:
    """The state of a training, which callbacks see.

    Attributes
    ----------
    model, optimizer, schedule, loader, history
    epoch, epochs : int
        Epochs done, and to do.
    batch : int
        Batches done in this epoch.
    loss, accuracy : float, and float or None
        Means of this epoch so far.
    stop : bool
        Set to True to end the training after this epoch.
    """

    def __init__(self, step, loader, schedule, epochs, callbacks):
        self.step, self.loader, self.schedule, self.epochs = step, loader, schedule, epochs
        self.model, self.optimizer, self.callbacks = step.model, step.optimizer, callbacks
        self.epoch, self.stop, self.history = 0, False, History()
        self.begin_epoch()

    def call(self, name):
        """Call this method of all callbacks."""
        for callback in self.callbacks:
            getattr(callback, name)(self)

    def begin_epoch(self):
        self.batch, self.seen, self._losses, self._hits = 0, 0, 0.0, 0
        self.loss, self.accuracy = 0.0, None

    def add(self, loss, n):
        """Count a batch of `n` examples with this mean loss, and the hits that its step found."""
        self.batch, self.seen, self._losses = self.batch + 1, self.seen + n, self._losses + loss * n
        self.loss = self._losses / self.seen
        if self.step.hits is not None:
            self._hits += self.step.hits
            self.accuracy = self._hits / self.seen

    def record(self, **numbers):
        """Add the epoch's numbers to the history, all but None."""
        for key, value in numbers.items():
            if value is not None:
                self.history.setdefault(key, []).append(value)


class Callback:
    """What `fit` calls; overwrite what you need. Each method gets the `Run`.

    A callback whose memory must survive a resumed training gives it as arrays by name.
    """

    def on_train_begin(self, run):
        """Before the first epoch."""

    def on_epoch_begin(self, run):
        """Before each epoch."""

    def on_batch_end(self, run):
        """After each update; `run.loss` and `run.accuracy` are the epoch's means so far."""

    def on_evaluation_begin(self, run):
        """Before the validation, and before `on_epoch_end` and `on_train_end`."""

    def on_epoch_end(self, run):
        """After each epoch and its validation; `run.history` has its numbers."""

    def on_evaluation_end(self, run):
        """After `on_epoch_end`, when training goes on."""

    def on_train_end(self, run):
        """After the last epoch, or an interruption."""

    def state_dict(self):
        """What a checkpoint must hold of this callback: arrays by name."""
        return {}

    def load_state_dict(self, state):
        """Take over what `state_dict` gave."""


class _Best(Callback):
    """Finds when a number of the history was best so far: the least loss, or most accuracy."""

    def __init__(self, monitor):
        self.monitor, self.best_epoch = monitor, 0

    def improved(self, run):
        if self.monitor not in run.history:
            known = ", ".join(run.history) or "nothing"
            raise ValueError(f"monitor={self.monitor!r} is not in the history, which has {known}.")
        sign = 1 if "accuracy" in self.monitor else -1
        scores = np.nan_to_num(sign * np.array(run.history[self.monitor]), nan=-np.inf)
        self.best_epoch = int(scores.argmax()) + 1
        return self.best_epoch == run.epoch


class EarlyStopping(_Best):
    """End the training when `monitor` was not better for `patience` epochs (Prechelt 1998), with
    the weights of the best epoch.

    Examples
    --------
    >>> EarlyStopping(patience=3, monitor="val_accuracy").best_epoch
    0
    """

    def __init__(self, patience=5, monitor="val_loss"):
        super().__init__(monitor)
        self.patience, self.weights = patience, {}

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
        self.best_epoch, self.weights = int(state["best_epoch"]), below("weights", state)


class SaveBest(_Best):
    """Write the weights to a file after each epoch that was the best so far.

    Parameters
    ----------
    path : path-like
        Ending in .npz; read it with `mg.load`.
    monitor : str
    """

    def __init__(self, path, monitor="val_loss"):
        super().__init__(monitor)
        self.path = path

    def on_epoch_end(self, run):
        if self.improved(run):
            save(self.path, run.model)


class KeepLast(Callback):
    """Write the weights after each epoch, as epoch-0001.npz and so on, and keep the last `k`."""

    def __init__(self, folder, k=3):
        if k < 1:
            raise ValueError(f"KeepLast expects to keep at least one file, got k={k}.")
        self.folder, self.k = Path(folder), k

    def on_epoch_end(self, run):
        save(self.folder / f"epoch-{run.epoch:04}.npz", run.model)
        for old in sorted(self.folder.glob("epoch-????.npz"))[: -self.k]:
            old.unlink()


class AverageWeights(Callback):
    """An exponential moving average of the weights, which validation and the end of training use.

        average = decay * average + (1 - decay) * weights

    after each update (Polyak and Juditsky 1992); buffers of floats are averaged too. Early in the
    training the decay is at most (1 + updates) / (10 + updates), so that the start is forgotten.
    """

    def __init__(self, decay=0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"AverageWeights expects 0 <= decay < 1, got {decay}.")
        self.decay, self.updates, self.average = decay, 0, {}

    def on_train_begin(self, run):
        self.average = self.average or run.model.state_dict()

    def on_batch_end(self, run):
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, weights in run.model.named_arrays():
            average = self.average[name]
            if average.dtype.kind == "f":
                average += (1 - decay) * (weights - average)
            else:
                average[...] = weights

    def on_evaluation_begin(self, run):
        kept = run.model.state_dict()
        run.model.load_state_dict(self.average)
        self.average = kept

    on_evaluation_end = on_evaluation_begin  # the same exchange

    def state_dict(self):
        return {"updates": np.array(self.updates), **self.average}

    def load_state_dict(self, state):
        self.average = {name: np.array(v) for name, v in state.items() if name != "updates"}
        self.updates = int(state["updates"])

"""A run: the state of training while `fit` is under way, what it measured, and its checkpoint."""

from contextlib import ExitStack, contextmanager

import numpy as np

from .checkpoint import npz_path, read_arrays, readable, write_arrays
from .data.loader import DataLoader, batches_of, is_plain
from .files import make_folder
from .state import below, counter, filling, prefixed

VERSION = 1  # of the files that `Run.keep` writes


class History(dict):
    """What `fit` measured: a dict of lists with one number for each epoch.

    The keys are those of Keras: `loss`, `accuracy`, `val_loss`, `val_accuracy`. Accuracies are
    missing where the targets are not classes, `val_` keys where there is no validation data. `loss`
    and `accuracy` are means over the batches of the epoch, each measured before its update.

    Attributes
    ----------
    interrupted : bool
        Whether Ctrl-C ended training early. An epoch that it broke off has no numbers; if that was
        the first, the lists are there, and empty.
    """

    interrupted = False

    def __repr__(self):
        epochs = max(map(len, self.values()), default=0)
        last = [f"{key} {values[-1]:.4g}" for key, values in self.items() if values]
        ended = ", interrupted" if self.interrupted else ""
        return f"<History after epoch {epochs}{ended}{': ' if last else ''}{', '.join(last)}>"


class Run:
    """The state of a training run, as callbacks see it.

    Attributes
    ----------
    model, optimizer, schedule, loader, history
    validation : DataLoader or other iterable of batches, or None
    epoch, epochs : int
        Epochs done, and epochs in all.
    batch : int
        Batches done in this epoch.
    loss, accuracy : float, and float or None
        Means of this epoch so far.
    stop : bool
        Set to True to end training after this epoch.
    """

    def __init__(self, step, loader, validation, schedule, epochs, callbacks):
        self.step = step
        self.model = step.model
        self.optimizer = step.optimizer
        self.loader = loader
        self.validation = validation
        self.schedule = schedule
        self.callbacks = callbacks
        self.epoch = 0
        self.epochs = epochs
        self.stop = False
        self.history = History()
        self._reset_means()

    def call(self, name):
        """Call the method `name` of all callbacks."""
        for callback in self.callbacks:
            getattr(callback, name)(self)

    @contextmanager
    def evaluating(self):
        """Between `on_evaluation_begin` and `on_evaluation_end`, which an error brings, too."""
        with ExitStack() as ends:  # called in reverse order, all of them, whatever one raises
            for callback in self.callbacks:
                callback.on_evaluation_begin(self)
                ends.callback(lambda callback=callback: callback.on_evaluation_end(self))
            yield

    def interrupt(self):
        """Note that Ctrl-C was pressed: training ends after the current step."""
        self.history.interrupted = True

    # ---- an epoch, from its beginning to its end -------------------------------------------------

    def goes_on(self):
        """Whether there is another epoch to come."""
        return self.epoch < self.epochs and not self.stop and not self.history.interrupted

    def begin_epoch(self):
        """Start the next epoch: counters, callbacks, the model in training mode."""
        self._reset_means()
        self.call("on_epoch_begin")
        self.model.train()
        # The run's count leads; the step and the loader find their random streams by theirs.
        self.step.epoch = self.epoch
        self.step.count = 0
        if isinstance(self.loader, DataLoader):
            self.loader.epoch = self.epoch

    def _reset_means(self):
        self.batch = 0
        self.seen = 0  # examples
        self.loss = 0.0
        self.accuracy = None
        self._loss_sum = 0.0
        self._weight = 0
        self._hits = 0
        self._targets = 0

    def batches(self):
        """The batches of this epoch, as the step takes them; Ctrl-C ends them early.

        Those of a DataLoader are not transformed yet, as each worker transforms its own shard.
        """
        whole = is_plain(self.loader)
        for batch in self.loader.plain_batches() if whole else batches_of(self.loader):
            yield batch
            if self.history.interrupted:
                return

    def end_batch(self, loss, examples, targets, weight):
        """Count a batch: its mean loss, by its weight, and the hits among its targets."""
        self.batch += 1
        self.seen += examples
        self._loss_sum += loss * weight
        self._weight += weight
        self.loss = self._loss_sum / self._weight
        if self.step.hits is not None and targets:
            self._hits += self.step.hits
            self._targets += targets
            self.accuracy = self._hits / self._targets
        if self.schedule and self.schedule.interval == "step":
            self.schedule.step()
        self.call("on_batch_end")

    def end_epoch(self, scores):
        """Count the epoch; its means and the validation scores go into the history."""
        self.epoch += 1
        validation = {f"val_{name}": value for name, value in scores.items()}
        self.record(loss=self.loss, accuracy=self.accuracy, **validation)
        if self.schedule and self.schedule.interval == "epoch":
            self.schedule.step()

    def record(self, **numbers):
        """Add the epoch's numbers to the history, all but None."""
        for key, value in numbers.items():
            if value is not None:
                self.history.setdefault(key, []).append(value)

    def result(self):
        """The history; if not even the first epoch is over, it has its keys, with empty lists."""
        if not self.history:
            names = ["loss"] if self.accuracy is None else ["loss", "accuracy"]
            if self.validation is not None:
                names += [f"val_{name}" for name in names]
            self.history.update({name: [] for name in names})
        return self.history

    # ---- checkpoint ------------------------------------------------------------------------------

    def keep(self, path):
        """Write the state of the run: weights, optimizer, schedule, callbacks, counters."""
        write_arrays(path, self._state())

    def _state(self):
        """The arrays of a checkpoint, by name."""
        counters = {"epoch": self.epoch, "stop": self.stop}
        arrays = prefixed("run", self._marks() | counters)
        arrays |= prefixed("history", self.history)
        for prefix, part in self._parts().items():
            arrays |= prefixed(prefix, part.state_dict())
        return arrays

    def begin(self, checkpoint, resume):
        """Call `on_train_begin`, after continuing from a checkpoint, if there is one.

        All or nothing: if anything raises, model, optimizer and schedule are as they were.

        Raises
        ------
        FileExistsError
            If there is one, but `resume` is False: it would be overwritten.
        ValueError
            If it is damaged, or of another training run, or `resume` has no path.
        TypeError
            If the batches are not a DataLoader's, or the state is nothing that could be read again.
        """
        path = None if checkpoint is None else self._checked(checkpoint, resume)
        if checkpoint is None and resume:
            raise ValueError("resume=True expects checkpoint=, the path of the file, got none.")
        before = {prefix: part.state_dict() for prefix, part in self._parts().items()}
        try:
            if path is not None and path.exists():
                self._restore(path)
            else:
                self.call("on_train_begin")
        except BaseException:
            # The optimizer after the schedule, which sets learning rates as well.
            for prefix, part in reversed(self._parts().items()):
                part.load_state_dict(before[prefix])
            raise

    def _checked(self, path, resume):
        """The path, if the run can be kept there; found out now, not after the first epoch."""
        if not isinstance(self.loader, DataLoader):
            raise TypeError(
                "checkpoint= expects a pair of arrays or a DataLoader, whose epoch is set when a "
                f"run is resumed, got {type(self.loader).__name__}: leave checkpoint= out."
            )
        path = npz_path("checkpoint", path)
        readable(self._state())
        make_folder(path.parent)
        if path.exists() and not resume:
            raise FileExistsError(
                f"{path} exists: resume=True (--resume) continues it; or remove it."
            )
        return path

    def _restore(self, path):
        """Continue from a checkpoint, and call `on_train_begin`."""
        arrays = read_arrays(path)
        try:
            self._check_marks(below("run", arrays))
            self._load_counters(arrays)
            unknown = {name.partition(".")[0] for name in arrays}
            unknown -= {"run", "history", *self._parts()}
            if unknown:
                raise ValueError(
                    f"it holds the state of {', '.join(sorted(unknown))}, which this run does not "
                    "have: give fit the schedule and the callbacks that it had."
                )
            for prefix, part in self._parts().items():
                part.load_state_dict(below(prefix, arrays))
        except Exception as error:  # the state of a callback may raise anything
            raise ValueError(f"{path} is a checkpoint of another run: {error}") from error
        try:
            self.call("on_train_begin")  # callbacks compare their state with the model
        except ValueError as error:
            raise ValueError(f"{path} is a checkpoint of another run: {error}") from error

    def _load_counters(self, arrays):
        epoch = counter("run.epoch", arrays, least=1)
        stop = bool(filling("run.stop", arrays.get("run.stop"), np.array(False)))
        if "history.loss" not in arrays:
            raise ValueError("history.loss is missing.")
        if ("history.val_loss" in arrays) != (self.validation is not None):
            raise ValueError(
                f"it holds {'' if self.validation is None else 'no '}history.val_loss: give fit "
                "validation data if the run had some, and none if it had none."
            )
        for key, values in below("history", arrays).items():
            if values.shape != (epoch,) or values.dtype.kind != "f":
                raise ValueError(f"history.{key} expects a number for each of {epoch} epochs.")
            self.history[key] = values.tolist()
        self.epoch = epoch
        self.stop = stop

    def _parts(self):
        """What has a state of its own, by the prefix of its names in the file."""
        parts = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        for i, callback in enumerate(self.callbacks):
            parts[f"callback{i}"] = callback
        return {prefix: part for prefix, part in parts.items() if part is not None}

    def _marks(self):
        """What must be the same when a run is resumed: the result depends on it to the bit.

        The number of workers is left out where several ranks share the batches: of these, too, a
        resumed run may have another number. The batches stay the same; sums are in another order,
        and other streams are drawn from, as many as there are shards.
        """
        marks = {
            "version": VERSION,
            "seed": self.step.seed,
            "accumulate": self.step.accumulate,
            "batch_size": self.loader.batch_size,
            "examples": len(self.loader.x),
        }
        if self.step.reduce is None:
            marks["workers"] = self.step.pool(self.loader.batch_size).count
        return marks

    def _check_marks(self, found):
        for name, expected in self._marks().items():
            if not np.array_equal(found.get(name), expected):
                raise ValueError(f"{name} is {found.get(name)}, expected {expected}.")

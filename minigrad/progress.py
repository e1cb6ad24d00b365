"""The progress of training: a bar in a terminal or a notebook, and a line per epoch anywhere."""

import sys
import time
from contextlib import suppress

from .callbacks import Callback


class Progress(Callback):
    """Shows a bar (by tqdm, if it is installed), and prints a line after each epoch."""

    bar = None

    def on_epoch_begin(self, run):
        self.start = time.perf_counter()
        batches = None
        with suppress(TypeError):  # other iterables may not know
            batches = len(run.loader)
        self.bar = _bar(f"epoch {run.epoch + 1}/{run.epochs}", batches)

    def on_batch_end(self, run):
        if self.bar is not None:
            self.bar.set_postfix_str(_numbers(run.loss, run.accuracy), refresh=False)
            self.bar.update()

    def on_epoch_end(self, run):
        self._close()
        last = {key: values[-1] for key, values in run.history.items()}
        line = _numbers(last.get("loss"), last.get("accuracy"))
        if "val_loss" in last:
            line += "  validation " + _numbers(last["val_loss"], last.get("val_accuracy"))
        seconds = time.perf_counter() - self.start
        print(f"epoch {run.epoch}/{run.epochs}  {line}  {seconds:.1f} s", flush=True)

    def on_train_end(self, run):
        self._close()
        if run.history.interrupted:
            print(f"interrupted in epoch {run.epoch + 1}; what was learned until then is kept")

    def _close(self):
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _numbers(loss, accuracy):
    if accuracy is None:
        return f"loss {loss:.4f}"
    return f"loss {loss:.4f}  accuracy {accuracy:.2%}"


def _bar(label, total):
    """A bar on the terminal or in a notebook; None where there is neither, or no tqdm."""
    try:
        if sys.stderr.isatty():
            from tqdm import tqdm
        elif _in_notebook():
            from tqdm.auto import tqdm  # of text, with a warning, where ipywidgets is missing
        else:
            return None
    except ImportError:
        return None
    return tqdm(desc=label, total=total, unit="batch", leave=False)


def _in_notebook():
    """Whether this program is run by the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")

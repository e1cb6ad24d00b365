"""Finds the table of cases in tests/ops, and counts what agreed."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "ops"), str(ROOT / "examples")]
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the matrices are small; before PyTorch is imported


def pytest_terminal_summary(terminalreporter):
    import torch
    from compare import agreed, in_step

    terminalreporter.write_line(
        f"PyTorch {torch.__version__} agreed with {agreed.total():,} samples of {len(agreed)} "
        "functions and layers in values, first and second derivatives,"
    )
    terminalreporter.write_line(
        f"and with {in_step.total():,} runs of {len(in_step)} optimizers, schedules and networks "
        "step by step"
    )

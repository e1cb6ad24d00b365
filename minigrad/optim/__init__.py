"""Optimizers, learning-rate schedules, gradient clipping."""

from .optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSProp, clip_grad_norm, limit_norm
from .schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    OneCycleLR,
    Schedule,
    SequentialLR,
    StepLR,
)

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "CosineAnnealingLR", "ExponentialLR", "LinearLR",
    "OneCycleLR", "Optimizer", "RMSProp", "Schedule", "SequentialLR", "StepLR", "clip_grad_norm",
    "limit_norm",
]  # fmt: skip

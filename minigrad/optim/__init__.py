"""Optimizers, learning-rate schedules, gradient clipping."""

from .optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSProp, clip_grad_norm
from .schedules import CosineAnnealingLR, ExponentialLR, LinearLR, OneCycleLR, Schedule
from .schedules import SequentialLR, StepLR

"""Optimizers, learning-rate schedules, gradient clipping."""

from .clipping import clip_grad_norm
from .optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSProp
from .schedules import CosineAnnealingLR, ExponentialLR, LinearLR, OneCycleLR, Schedule
from .schedules import SequentialLR, StepLR

"""Schedules of the learning rate, one file per idea."""

from minitorch.optim.lr_scheduler.base import EPOCH_DEPRECATION_WARNING as EPOCH_DEPRECATION_WARNING
from minitorch.optim.lr_scheduler.base import LRScheduler as LRScheduler
from minitorch.optim.lr_scheduler.base import _LRScheduler as _LRScheduler
from minitorch.optim.lr_scheduler.by_function import LambdaLR as LambdaLR
from minitorch.optim.lr_scheduler.by_function import MultiplicativeLR as MultiplicativeLR
from minitorch.optim.lr_scheduler.composed import ChainedScheduler as ChainedScheduler
from minitorch.optim.lr_scheduler.composed import SequentialLR as SequentialLR
from minitorch.optim.lr_scheduler.cosine import CosineAnnealingLR as CosineAnnealingLR
from minitorch.optim.lr_scheduler.cosine import (
    CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts,
)
from minitorch.optim.lr_scheduler.cyclic import CyclicLR as CyclicLR
from minitorch.optim.lr_scheduler.cyclic import OneCycleLR as OneCycleLR
from minitorch.optim.lr_scheduler.decay import ConstantLR as ConstantLR
from minitorch.optim.lr_scheduler.decay import ExponentialLR as ExponentialLR
from minitorch.optim.lr_scheduler.decay import LinearLR as LinearLR
from minitorch.optim.lr_scheduler.decay import MultiStepLR as MultiStepLR
from minitorch.optim.lr_scheduler.decay import PolynomialLR as PolynomialLR
from minitorch.optim.lr_scheduler.decay import StepLR as StepLR
from minitorch.optim.lr_scheduler.plateau import ReduceLROnPlateau as ReduceLROnPlateau

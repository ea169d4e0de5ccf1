"""Optimizers, one file per algorithm."""

from minitorch.optim import lr_scheduler as lr_scheduler
from minitorch.optim import swa_utils as swa_utils
from minitorch.optim.adam import Adam as Adam
from minitorch.optim.adam import AdamW as AdamW
from minitorch.optim.optimizer import Optimizer as Optimizer
from minitorch.optim.sgd import SGD as SGD

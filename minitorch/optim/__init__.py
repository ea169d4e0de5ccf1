"""Optimizers, one file per algorithm."""

from minitorch.optim.adam import Adam as Adam
from minitorch.optim.adam import AdamW as AdamW
from minitorch.optim.optimizer import Optimizer as Optimizer
from minitorch.optim.sgd import SGD as SGD

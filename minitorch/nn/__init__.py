"""Neural networks: modules, layers, losses, initial values, and all of it as functions.

Names, arguments, defaults and state dicts are PyTorch's, which has no `RBM` and no `DBN`.
"""

from minitorch.nn import functional, init, parameter, utils
from minitorch.nn.activation import (
    CELU,
    ELU,
    GELU,
    SELU,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from minitorch.nn.container import ModuleDict, ModuleList, Sequential
from minitorch.nn.dbn import DBN
from minitorch.nn.distance import CosineSimilarity, PairwiseDistance
from minitorch.nn.dropout import AlphaDropout, Dropout
from minitorch.nn.embedding import Embedding
from minitorch.nn.flatten import Flatten, Unflatten

# The course's notes write nn.sigmoid(x), nn.relu(x), ...
from minitorch.nn.functional import leaky_relu, relu, sigmoid, tanh
from minitorch.nn.linear import Bilinear, Identity, Linear
from minitorch.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from minitorch.nn.module import Module
from minitorch.nn.normalization import BatchNorm1d, LayerNorm
from minitorch.nn.parameter import Buffer, Parameter
from minitorch.nn.parameter_containers import ParameterDict, ParameterList
from minitorch.nn.rbm import RBM

__all__ = [
    "functional", "init", "parameter", "utils",
    "Module", "Parameter", "Buffer",
    "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict",
    "Linear", "Bilinear", "Identity", "Flatten", "Unflatten", "Embedding",
    "Sigmoid", "Tanh", "ReLU", "ReLU6", "LeakyReLU", "PReLU", "ELU", "CELU", "SELU", "GELU",
    "SiLU", "Softplus", "Softsign", "LogSigmoid", "Hardtanh", "Softmax", "LogSoftmax",
    "Dropout", "AlphaDropout", "BatchNorm1d", "LayerNorm", "CosineSimilarity", "PairwiseDistance",
    "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCELoss", "BCEWithLogitsLoss",
    "CrossEntropyLoss", "NLLLoss", "KLDivLoss",
    "RBM", "DBN",
    "sigmoid", "tanh", "relu", "leaky_relu",
]

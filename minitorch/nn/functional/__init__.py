"""Layers, activations and losses as functions of tensors: ``import minitorch.nn.functional as F``.

Arguments, defaults and errors are PyTorch's; the arithmetic is in ``minitorch.ops``.
"""

from types import FunctionType as _FunctionType

from minitorch.guests import welcoming as _welcoming
from minitorch.nn.functional.activation import (
    celu,
    celu_,
    elu,
    elu_,
    gelu,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    log_softmax,
    logsigmoid,
    prelu,
    relu,
    relu6,
    relu_,
    selu,
    selu_,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from minitorch.nn.functional.classification import cross_entropy, nll_loss
from minitorch.nn.functional.layers import (
    alpha_dropout,
    batch_norm,
    bilinear,
    cosine_similarity,
    dropout,
    embedding,
    layer_norm,
    linear,
    normalize,
    one_hot,
    pairwise_distance,
)
from minitorch.nn.functional.regression import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)

__all__ = [
    "alpha_dropout", "batch_norm", "bilinear", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "celu", "celu_", "cosine_similarity", "cross_entropy",
    "dropout", "elu", "elu_", "embedding", "gelu", "hardtanh", "hardtanh_", "huber_loss", "kl_div",
    "l1_loss", "layer_norm", "leaky_relu", "leaky_relu_", "linear", "log_softmax", "logsigmoid",
    "mse_loss", "nll_loss", "normalize", "one_hot", "pairwise_distance", "prelu", "relu", "relu6",
    "relu_", "selu", "selu_", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softplus",
    "softsign", "tanh",
]

for _name in __all__:
    if isinstance(globals()[_name], _FunctionType):
        globals()[_name] = _welcoming(globals()[_name])

"""Losses. ``reduction`` is "mean", "sum" or "none"; ``x`` is the input, ``y`` the target."""

import numpy as np

from minitorch import backend
from minitorch.crossing import limits
from minitorch.primitive import primitive


def reduce(xp, loss, reduction):
    """One number from the elementwise losses, or all of them."""
    return (xp.mean(loss) if reduction == "mean" else xp.sum(loss) if reduction == "sum"
            else loss)


def share(g, n, reduction):
    """The cotangent of each of ``n`` elementwise losses."""
    return g / n if reduction == "mean" and n else g


def size(shape):
    n = 1
    for k in shape:
        n *= k
    return n


def _mse_rule(xp, g, x, y, reduction):
    d = x - y
    return share(g, size(d.shape), reduction) * 2 * d


@primitive(promote="floating", law="(),()->()",
           x=_mse_rule,
           y=lambda xp, g, x, y, reduction: -_mse_rule(xp, g, x, y, reduction))
def mse_loss(xp, x, y, reduction="mean"):
    """``(x - y)**2``, reduced."""
    d = x - y
    return reduce(xp, d * d, reduction)


def _l1_rule(xp, g, x, y, reduction):
    d = x - y
    return share(g, size(d.shape), reduction) * xp.sign(d)


def _reduced(unreduced):
    """PyTorch makes this loss of several operators, and shows the last."""
    names = {"mean": "MeanBackward0", "sum": "SumBackward0", "none": unreduced}
    return lambda node: names[node.kept("reduction")]


@primitive(promote="floating", law="(),()->()", shown=_reduced("AbsBackward0"),
           x=_l1_rule,
           y=lambda xp, g, x, y, reduction: -_l1_rule(xp, g, x, y, reduction))
def l1_loss(xp, x, y, reduction="mean"):
    """``|x - y|``, reduced."""
    return reduce(xp, xp.absolute(x - y), reduction)


def _smooth_l1_rule(xp, g, x, y, reduction, beta):
    d = x - y
    far = xp.absolute(d) >= beta
    return share(g, size(d.shape), reduction) * xp.where(far, xp.sign(d), d / (beta or 1))


@primitive(promote="floating", law="(),()->()",
           x=_smooth_l1_rule,
           y=lambda xp, g, x, y, reduction, beta: -_smooth_l1_rule(xp, g, x, y, reduction, beta))
def smooth_l1_loss(xp, x, y, reduction="mean", beta=1.0):
    """``d*d / (2 beta)`` where ``|d| < beta``, else ``|d| - beta/2``, for d = x - y."""
    d = xp.absolute(x - y)
    return reduce(xp, xp.where(d < beta, d * d * (0.5 / (beta or 1)), d - 0.5 * beta), reduction)


def _huber_rule(xp, g, x, y, reduction, delta):
    d = x - y
    far = xp.absolute(d) >= delta
    return share(g, size(d.shape), reduction) * xp.where(far, delta * xp.sign(d), d)


@primitive(promote="floating", law="(),()->()",
           x=_huber_rule,
           y=lambda xp, g, x, y, reduction, delta: -_huber_rule(xp, g, x, y, reduction, delta))
def huber_loss(xp, x, y, reduction="mean", delta=1.0):
    """``d*d / 2`` where ``|d| <= delta``, else ``delta * (|d| - delta/2)`` (Huber 1964)."""
    d = xp.absolute(x - y)
    return reduce(xp, xp.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta)), reduction)


EPSILON = float(np.float32(1e-12))  # PyTorch rounds it so


def _bce_rule(xp, g, x, y, weight, reduction):
    d = (x - y) / xp.maximum((1 - x) * x, EPSILON)
    d = d if weight is None else d * weight
    return share(g, size(d.shape), reduction) * d


def _bce_target_rule(xp, g, x, weight, reduction):
    d = xp.log1p(-x) - xp.log(x)
    d = d if weight is None else d * weight
    return share(g, size(d.shape), reduction) * d


def _check_probabilities(x):
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise RuntimeError(f"all elements of input should be between 0 and 1, but they lie in "
                           f"[{x.min():g}, {x.max():g}]; apply a sigmoid first, or use "
                           f"binary_cross_entropy_with_logits")


limits(_check_probabilities, RuntimeError, lambda: (
    0.0, 1.0, None, "all elements of input should be between 0 and 1; apply a sigmoid first, or "
                    "use binary_cross_entropy_with_logits"))


@primitive(promote="floating", law="(),()->()", domain={"x": "probability", "y": "probability"},
           x=_bce_rule, y=_bce_target_rule)
def binary_cross_entropy(xp, x, y, weight=None, reduction="mean"):
    """``-(y log x + (1 - y) log(1 - x))``; logarithms are cut at -100, as in PyTorch."""
    backend.look(_check_probabilities, x)
    log0, log1 = xp.maximum(xp.log1p(-x), -100.0), xp.maximum(xp.log(x), -100.0)
    loss = (y - 1) * log0 - y * log1
    return reduce(xp, loss if weight is None else loss * weight, reduction)


def _bce_logits_rule(xp, g, x, y, weight, pos_weight, reduction):
    p = xp.sigmoid(x)
    d = p - y if pos_weight is None else (1 - y + pos_weight * y) * p - pos_weight * y
    d = d if weight is None else d * weight
    return share(g, size(d.shape), reduction) * d


def _bce_logits_target_rule(xp, g, x, weight, pos_weight, reduction):
    d = -x
    if pos_weight is not None:
        tail = xp.log1p(xp.exp(-xp.absolute(x)))
        d = pos_weight * (tail - xp.minimum(x, 0.0)) - (tail + xp.maximum(x, 0.0))
    d = d if weight is None else d * weight
    return share(g, size(d.shape), reduction) * d


@primitive(promote="floating", law="(),()->()",
           like="nn.functional.binary_cross_entropy_with_logits",
           shown="BinaryCrossEntropyWithLogitsBackward0",
           x=_bce_logits_rule, y=_bce_logits_target_rule)
def bce_with_logits(xp, x, y, weight=None, pos_weight=None, reduction="mean"):
    """Binary cross-entropy of ``sigmoid(x)``, without overflow."""
    lost = xp.log1p(xp.exp(-xp.absolute(x))) - xp.minimum(x, 0.0)  # -log sigmoid(x)
    loss = (1 - y) * x + (lost if pos_weight is None else (1 + (pos_weight - 1) * y) * lost)
    return reduce(xp, loss if weight is None else loss * weight, reduction)


def _kl_rule(xp, g, x_shape, y, reduction, log_target):
    joint = np.broadcast_shapes(x_shape, y.shape)
    p = xp.broadcast_to(xp.exp(y) if log_target else y, joint)
    return -share(g, size(joint), reduction) * p


def _kl_target_rule(xp, g, x, y, reduction, log_target):
    if log_target:
        d = xp.exp(y) * (y - x + 1)
    else:
        zero = y == 0
        d = xp.where(zero, 0.0, xp.log(xp.where(zero, 1.0, y)) + 1) - x
    return share(g, size(d.shape), reduction) * d


@primitive(promote="floating", law="(),()->()", domain={"y": "probability"},
           shown=_reduced("SubBackward0"), x=_kl_rule, y=_kl_target_rule)
def kl_div(xp, x, y, reduction="mean", log_target=False):
    """``y * (log y - x)``, reduced: ``x`` is a log-probability, ``y`` a probability (or its log).

    Kullback & Leibler (1951). 0 log 0 is 0; a negative probability gives nan.
    """
    if log_target:
        loss = xp.exp(y) * (y - x)
    else:
        loss = y * xp.log(xp.where(y == 0, 1.0, y)) - y * x
    return reduce(xp, loss, reduction)


def class_weights(xp, x, target, weight, ignore_index):
    """Per sample: its weight (0 if ignored), an index safe to look up, and whether it counts."""
    kept = target != ignore_index
    safe = target * kept
    w = xp.cast(kept, x.dtype)
    return (w if weight is None else w * weight[safe]), safe, kept


def total_weight(xp, w, reduction):
    """What "mean" divides by: the weights of the samples that count."""
    return xp.sum(w) if reduction == "mean" else 1.0


def _nll_rule(xp, g, x_shape, target, weight, ignore_index, reduction):
    # Only the target's own log-probability matters.
    w, safe, kept = class_weights(xp, g, target, weight, ignore_index)
    g = xp.where(kept, -(g * w / total_weight(xp, w, reduction)), 0.0)
    return xp.scatter(xp.new_zeros(g, x_shape), 1, safe[:, None], g[:, None])


@primitive(promote="floating", x=_nll_rule)
def nll_loss(xp, x, target, weight, ignore_index, reduction):
    """``-weight[t] * x[i, t]`` for log-probabilities ``x`` (N, C) and classes ``target`` (N,)."""
    w, safe, kept = class_weights(xp, x, target, weight, ignore_index)
    loss = xp.where(kept, -(w * xp.gather(x, 1, safe[:, None])[:, 0]), 0.0)
    return loss if reduction == "none" else xp.sum(loss) / total_weight(xp, w, reduction)


def _cross_entropy_rule(xp, g, logp, target, weight, ignore_index, reduction, smoothing):
    """softmax - one_hot, per sample and scaled by its weight."""
    w, safe, kept = class_weights(xp, logp, target, weight, ignore_index)
    g = xp.where(kept, g / total_weight(xp, w, reduction), 0.0)
    p = xp.exp(logp)
    own = (g * w * (1 - smoothing))[:, None]
    out = xp.scatter_add(p * own, 1, safe[:, None], -own)
    if smoothing:  # the rest is spread evenly over the classes
        n = logp.shape[1]
        each = (g * (smoothing / n))[:, None]
        if weight is None:
            out = out + each * (p * n - 1)
        else:
            out = out + each * (p * xp.sum(weight) - weight)
    return out


@primitive(promote="floating", extras=["logp"],
           shown=lambda node: ("Add" if node.kept("smoothing") else "NllLoss") + "Backward0",
           x=_cross_entropy_rule)
def cross_entropy(xp, x, target, weight, ignore_index, reduction, smoothing):
    """Softmax and negative log-likelihood in one, for logits (N, C) and classes (N,)."""
    w, safe, kept = class_weights(xp, x, target, weight, ignore_index)
    logp = x - xp.amax(x, 1, True) if x.size else x
    logp = logp - xp.log(xp.sum(xp.exp(logp), 1, True))
    loss = -(w * xp.gather(logp, 1, safe[:, None])[:, 0])
    if smoothing:
        spread = logp if weight is None else logp * weight
        loss = loss * (1 - smoothing) - xp.sum(spread, 1, False) * (smoothing / x.shape[1])
    loss = xp.where(kept, loss, 0.0)  # not even nan comes through from an ignored sample
    if reduction != "none":
        loss = xp.sum(loss) / total_weight(xp, w, reduction)
    return loss, logp

"""Activation functions: the nonlinearities between layers."""

from math import pi, sqrt

from minitorch.primitive import primitive


@primitive(promote="float", law="()->()",
           x=lambda xp, g, out: g * (1 - out) * out)
def sigmoid(xp, x):
    """``1 / (1 + exp(-x))``, elementwise."""
    return xp.sigmoid(x)


@primitive(law="()->()", domain={"x": "nonzero"},
           x=lambda xp, g, out: g * (out != 0))
def relu(xp, x):
    """``max(x, 0)``, elementwise; its derivative at 0 is 0."""
    if x.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return xp.maximum(x, 0)


@primitive(promote="floating", law="()->()", domain={"x": "nonzero"},
           x=lambda xp, g, x, negative_slope: xp.where(x > 0, g, g * negative_slope))
def leaky_relu(xp, x, negative_slope=0.01):
    """``x`` above 0, ``negative_slope * x`` below, elementwise."""
    return xp.where(x > 0, x, x * negative_slope)


def _elu(xp, x, alpha, scale, input_scale):
    # minimum: exp of a large positive x would overflow before it is masked out
    negative = xp.expm1(xp.minimum(x, 0.0) * input_scale)
    return xp.where(x > 0, x * scale, negative * (alpha * scale))


def _elu_rule(xp, g, x, alpha, scale, input_scale):
    slope = xp.exp(xp.where(x < 0, x, 0.0) * input_scale) * (alpha * scale * input_scale)
    return g * xp.where(x <= 0, slope, scale)


@primitive(promote="floating", law="()->()", domain={"x": "nonzero"},
           x=lambda xp, g, x, alpha: _elu_rule(xp, g, x, alpha, 1.0, 1.0))
def elu(xp, x, alpha=1.0):
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below (Clevert et al. 2015)."""
    return _elu(xp, x, alpha, 1.0, 1.0)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@primitive(promote="floating", law="()->()", domain={"x": "nonzero"}, shown="EluBackward0",
           x=lambda xp, g, x: _elu_rule(xp, g, x, SELU_ALPHA, SELU_SCALE, 1.0))
def selu(xp, x):
    """ELU with the scale that keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    return _elu(xp, x, SELU_ALPHA, SELU_SCALE, 1.0)


@primitive(promote="floating", law="()->()", domain={"x": "nonzero"},
           x=lambda xp, g, x, alpha: _elu_rule(xp, g, x, alpha, 1.0, 1.0 / alpha))
def celu(xp, x, alpha=1.0):
    """``x`` above 0, ``alpha * (exp(x / alpha) - 1)`` below (Barron 2017)."""
    return _elu(xp, x, alpha, 1.0, 1.0 / alpha)


def _gelu_rule(xp, g, x, approximate):
    if approximate == "tanh":
        u = sqrt(2 / pi) * (x + 0.044715 * x * x * x)
        t = xp.tanh(u)
        du = sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x)
        return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * du)
    density = xp.exp(-0.5 * x * x) * (1 / sqrt(2 * pi))
    return g * (0.5 * (1 + xp.erf(x * (1 / sqrt(2)))) + x * density)


@primitive(promote="floating", law="()->()", x=_gelu_rule)
def gelu(xp, x, approximate="none"):
    """``x * P(standard normal <= x)``, or its tanh approximation (Hendrycks & Gimpel 2016)."""
    if approximate == "tanh":
        return 0.5 * x * (1 + xp.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))
    if approximate != "none":
        raise RuntimeError("approximate argument must be either none or tanh.")
    return 0.5 * x * (1 + xp.erf(x * (1 / sqrt(2))))


def _silu_rule(xp, g, x):
    s = xp.sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


@primitive(promote="floating", law="()->()", x=_silu_rule)
def silu(xp, x):
    """``x * sigmoid(x)``, elementwise (Elfwing et al. 2017)."""
    return x * xp.sigmoid(x)


@primitive(promote="floating", law="()->()",
           x=lambda xp, g, x, beta, threshold: xp.where(
               x * beta > threshold, g, g * xp.sigmoid(x * beta)))
def softplus(xp, x, beta=1.0, threshold=20.0):
    """``log(1 + exp(beta * x)) / beta``, elementwise; ``x`` itself where beta*x > threshold."""
    small = xp.minimum(x * beta, threshold)
    return xp.where(x * beta > threshold, x, xp.log1p(xp.exp(small)) / beta)


@primitive(promote="floating", law="()->()", shown="LogSigmoidBackward0",
           like="nn.functional.logsigmoid",
           x=lambda xp, g, x: g * xp.sigmoid(-x))
def logsigmoid(xp, x):
    """``log(sigmoid(x))``, elementwise and without overflow."""
    return xp.minimum(x, 0.0) - xp.log1p(xp.exp(-xp.absolute(x)))


@primitive(law="()->()", domain={"x": "fraction"},
           x=lambda xp, g, x, min_val, max_val: xp.where(
               (x <= min_val) | (x >= max_val), 0.0, g))
def hardtanh(xp, x, min_val=-1.0, max_val=1.0):
    """``x`` limited to ``[min_val, max_val]``; flat at and beyond both ends."""
    if x.dtype.kind != "f":
        min_val, max_val = int(min_val), int(max_val)
        if x.dtype.kind == "b" or (x.dtype.kind == "u" and min_val < 0):
            raise RuntimeError(f"hardtanh(): limits {min_val}, {max_val} do not suit {x.dtype}")
    return xp.minimum(xp.maximum(x, min_val), max_val)


@primitive(promote="floating", law="(n)->(n)",
           x=lambda xp, g, out, dim: out * (g - xp.sum(g * out, dim, True)))
def softmax(xp, x, dim):
    """``exp(x) / sum(exp(x))`` along ``dim``: positive, summing to 1."""
    out = xp.exp(x - xp.amax(x, dim, True)) if x.size else x
    return out / xp.sum(out, dim, True)


@primitive(promote="floating", law="(n)->(n)",
           x=lambda xp, g, out, dim: g - xp.exp(out) * xp.sum(g, dim, True))
def log_softmax(xp, x, dim):
    """``log(softmax(x))`` along ``dim``, without overflow."""
    out = x - xp.amax(x, dim, True) if x.size else x
    return out - xp.log(xp.sum(xp.exp(out), dim, True))

"""Normalisation and dropout: one fat operator each, for few and cheap nodes on the tape."""

from minitorch.primitive import primitive


def _per_channel(v, x):
    """A vector over channels (dimension 1), shaped to broadcast against ``x``."""
    return v.reshape((1, -1) + (1,) * (x.ndim - 2))


def _others(x):
    return (0, *range(2, x.ndim))


def _batch_norm_x(xp, g, weight, normed, invstd, training):
    """d/dx of (x - mean) * invstd: the mean and the variance move with every element."""
    scale = invstd if weight is None else invstd * weight
    if not training:
        return g * _per_channel(scale, normed)
    axes = _others(normed)
    shift = xp.mean(g, axes, True) + normed * xp.mean(g * normed, axes, True)
    return (g - shift) * _per_channel(scale, normed)


@primitive(promote="floating", extras=["normed", "invstd", "mean", "var"],
           shown="NativeBatchNormBackward0",
           x=_batch_norm_x,
           weight=lambda xp, g, normed: xp.sum(g * normed, _others(normed), False),
           bias=lambda xp, g: xp.sum(g, _others(g), False))
def batch_norm(xp, x, weight, bias, running_mean, running_var, training, eps):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel (Ioffe & Szegedy 2015).

    ``x`` (N, C, ...); mean and biased variance are the batch's in training, else the running
    ones. By-products: the normalised input, 1/std, mean and variance.
    """
    if training:
        axes = _others(x)
        mean = xp.mean(x, axes, True)
        centred = x - mean
        var = xp.mean(centred * centred, axes, True)
        mean, var = mean.reshape(-1), var.reshape(-1)
    else:
        mean, var = running_mean, running_var
        centred = x - _per_channel(mean, x)
    invstd = 1 / xp.sqrt(var + eps)
    normed = centred * _per_channel(invstd, x)
    out = normed if weight is None else normed * _per_channel(weight, x)
    return out if bias is None else out + _per_channel(bias, x), normed, invstd, mean, var


def _layer_norm_x(xp, g, weight, normed, invstd, dims):
    if weight is not None:
        g = g * weight
    axes = tuple(range(-dims, 0))
    return invstd * (g - xp.mean(g, axes, True) - normed * xp.mean(g * normed, axes, True))


@primitive(promote="floating", extras=["normed", "invstd"], shown="NativeLayerNormBackward0",
           x=_layer_norm_x,
           weight=lambda xp, g, normed: g * normed,  # the engine sums over the batch
           bias=lambda xp, g: g)
def layer_norm(xp, x, weight, bias, dims, eps):
    """Each sample normalised over its last ``dims`` dimensions (Ba et al. 2016)."""
    axes = tuple(range(-dims, 0))
    centred = x - xp.mean(x, axes, True)
    invstd = 1 / xp.sqrt(xp.mean(centred * centred, axes, True) + eps)
    normed = centred * invstd
    out = normed if weight is None else normed * weight
    return out if bias is None else out + bias, normed, invstd


@primitive(promote="floating", shown="MulBackward0",
           x=lambda xp, g, mask, scale: g * mask * scale)
def masked_scale(xp, x, mask, scale):
    """``x * mask * scale``: dropout, once its bool mask is drawn."""
    return x * mask * scale

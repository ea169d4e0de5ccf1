"""Sparse tensors: to and from dense ones. The few operators that know them beside arithmetic."""

from minitorch.coo import key
from minitorch.primitive import primitive


def _entries(g, indices):
    """The numbers of a cotangent, dense or sparse, in the places of a sparse tensor's entries."""
    g = g.to_dense() if getattr(g, "is_sparse", False) else g
    return g[key(getattr(indices, "array", indices))]


@primitive(shown="SparseCooTensorWithDimsAndTensorsBackward0",
           values=lambda xp, g, indices: _entries(g, indices))
def coo(xp, values, indices, shape, coalesced=None):
    """The sparse tensor of ``values`` (nnz, ...) at ``indices`` (sparse_dim, nnz)."""
    return xp.coo(values, indices, shape, coalesced)


@primitive(x=lambda xp, g, x: xp.coo(_entries(g, x.coalesce().indices), x.coalesce().indices,
                                     x.shape, True))
def to_dense(xp, x):
    """A sparse tensor's numbers in a dense one; its gradient is sparse, in the same places."""
    return x.to_dense()


@primitive(x=lambda xp, g: g)
def coalesce(xp, x):
    """A sparse tensor with one entry for each place, in row-major order."""
    return x.coalesce()


@primitive(x=lambda xp, g, x: xp.coo(g, x.indices, x.shape, True))
def values(xp, x):
    """The entries of a coalesced sparse tensor: (nnz, ...)."""
    return x.values

"""Bad input: the exception PyTorch raises, and nothing changed by then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minitorch
from tests.nn.both import assert_agree

BAD = {
    # -- classes and probabilities
    "class too large": lambda t, f: f.cross_entropy(t.ones(3, 4), t.tensor([0, 1, 10])),
    "class negative": lambda t, f: f.cross_entropy(t.ones(3, 4), t.tensor([0, 1, -1])),
    "class too large (C,)": lambda t, f: f.cross_entropy(t.ones(4), t.tensor(4)),
    "class too large (N,C,d)": lambda t, f: f.cross_entropy(
        t.ones(2, 3, 2), t.tensor([[0, 1], [2, 3]])),
    "nll class too large": lambda t, f: f.nll_loss(t.ones(3, 4), t.tensor([0, 1, 4])),
    "unequal batches": lambda t, f: f.cross_entropy(t.ones(3, 4), t.tensor([0, 1, 1, 1])),
    "unequal batches 3-D": lambda t, f: f.nll_loss(t.ones(2, 4, 3), t.ones(3, 3).long()),
    "one target too many": lambda t, f: f.cross_entropy(t.ones(4), t.tensor([1, 2])),
    "column of targets": lambda t, f: f.cross_entropy(t.ones(3, 4), t.ones(3, 1).long()),
    "matrix of targets": lambda t, f: f.nll_loss(t.ones(3, 4), t.ones(3, 4).long()),
    "other target size": lambda t, f: f.cross_entropy(t.ones(2, 4, 3), t.ones(2, 5).long()),
    "target without d1": lambda t, f: f.cross_entropy(t.ones(2, 4, 3), t.ones(2).long()),
    "4-D target size": lambda t, f: f.cross_entropy(t.ones(2, 4, 3, 2), t.ones(2, 3, 3).long()),
    "0-d input": lambda t, f: f.nll_loss(t.ones(()), t.tensor(0)),
    "int32 target": lambda t, f: f.cross_entropy(t.ones(3, 4), t.ones(3).int()),
    "float target": lambda t, f: f.cross_entropy(t.ones(3, 4), t.ones(3)),
    "bool target": lambda t, f: f.nll_loss(t.ones(3, 4), t.ones(3).bool()),
    "integer probabilities": lambda t, f: f.cross_entropy(t.ones(3, 4), t.ones(3, 4).long()),
    "ignored probabilities": lambda t, f: f.cross_entropy(
        t.ones(3, 4), t.ones(3, 4), ignore_index=1),
    "weights missing": lambda t, f: f.cross_entropy(
        t.ones(3, 4), t.tensor([0, 1, 1]), t.ones(3)),
    "weights missing for probabilities": lambda t, f: f.cross_entropy(
        t.ones(3, 4), t.ones(3, 4), t.ones(3)),
    "weights of another dtype": lambda t, f: f.nll_loss(
        t.ones(3, 4), t.tensor([0, 1, 1]), t.ones(4).double()),
    "integer logits": lambda t, f: f.cross_entropy(t.ones(3, 4).long(), t.tensor([0, 1, 1])),
    "integer log-probabilities": lambda t, f: f.nll_loss(t.ones(2, 3).long(), t.tensor([0, 1])),
    "smoothing over 1": lambda t, f: f.cross_entropy(
        t.ones(1, 2), t.tensor([1]), label_smoothing=1.5),
    "unknown reduction": lambda t, f: f.cross_entropy(
        t.ones(1, 2), t.tensor([1]), reduction="average"),
    "list as target": lambda t, f: f.cross_entropy(t.ones(1, 2), [1]),
    "list as input": lambda t, f: f.nll_loss([[1.0, 2.0]], t.tensor([1])),
    # -- pairs
    "mse of other sizes": lambda t, f: f.mse_loss(t.ones(3, 4), t.ones(3)),
    "huber of other sizes": lambda t, f: f.huber_loss(t.ones(3, 4), t.ones(2, 4)),
    "mse batchmean": lambda t, f: f.mse_loss(t.ones(2), t.ones(2), reduction="batchmean"),
    "mse of integers": lambda t, f: f.mse_loss(t.ones(2).long(), t.ones(2).long()),
    "mse weight": lambda t, f: f.mse_loss(t.ones(2), t.ones(2), weight=t.ones(3)),
    "negative beta": lambda t, f: f.smooth_l1_loss(t.ones(2), t.ones(2), beta=-1.0),
    "zero delta": lambda t, f: f.huber_loss(t.ones(2), t.ones(2), delta=0.0),
    "HuberLoss(delta='1')": lambda t, f: t.nn.HuberLoss(delta="1"),
    "kl of integers": lambda t, f: f.kl_div(t.ones(2), t.ones(2).long(), reduction="sum"),
    "kl of other sizes": lambda t, f: f.kl_div(t.ones(2, 3), t.ones(2), reduction="sum"),
    "bce of other sizes": lambda t, f: f.binary_cross_entropy(t.ones(3), t.ones(3, 1)),
    "bce out of range": lambda t, f: f.binary_cross_entropy(t.full((2,), 1.5), t.ones(2)),
    "bce below range": lambda t, f: f.binary_cross_entropy(t.full((2,), -0.5), t.ones(2)),
    "bce integer target": lambda t, f: f.binary_cross_entropy(t.ones(2) / 2, t.tensor([1, 0])),
    "bce double target": lambda t, f: f.binary_cross_entropy(t.ones(2) / 2, t.ones(2).double()),
    "bce weight": lambda t, f: f.binary_cross_entropy(
        t.ones(3, 2), t.ones(3, 2), weight=t.ones(5)),
    "bce weight too large": lambda t, f: f.binary_cross_entropy(
        t.ones(2), t.ones(2), weight=t.ones(3, 2)),
    "logits of other sizes": lambda t, f: f.binary_cross_entropy_with_logits(
        t.ones(3), t.ones(3, 1)),
    "logits integer target": lambda t, f: f.binary_cross_entropy_with_logits(
        t.ones(2), t.tensor([1, 0])),
    "logits pos_weight": lambda t, f: f.binary_cross_entropy_with_logits(
        t.ones(3, 2), t.ones(3, 2), pos_weight=t.ones(3)),
    "logits weight too large": lambda t, f: f.binary_cross_entropy_with_logits(
        t.ones(2), t.ones(2), weight=t.ones(3, 2)),
    # -- activations
    **{f"{name} of integers": lambda t, f, name=name: getattr(f, name)(t.tensor([1, -2]))
       for name in ("elu", "selu", "celu", "leaky_relu", "gelu", "silu", "logsigmoid",
                    "softplus")},
    "gelu of a list": lambda t, f: f.gelu([1.0]),
    "relu of a list": lambda t, f: f.relu([1.0]),
    "softmax of integers": lambda t, f: f.softmax(t.tensor([1, 2]), 0),
    "softmax dim": lambda t, f: f.softmax(t.ones(2, 3), 2),
    "gelu approximate": lambda t, f: f.gelu(t.ones(2), approximate="erf"),
    "hardtanh bounds": lambda t, f: f.hardtanh(t.ones(2), 2.0, 1.0),
    "Hardtanh bounds": lambda t, f: t.nn.Hardtanh(1.0, 1.0),
    "prelu channels": lambda t, f: f.prelu(t.ones(2, 3), t.ones(2)),
    "prelu 1-D": lambda t, f: f.prelu(t.ones(3), t.ones(3)),
    "prelu 0-d": lambda t, f: f.prelu(t.ones(()), t.ones(2)),
    "prelu matrix": lambda t, f: f.prelu(t.ones(3, 3), t.ones(1, 3)),
    # -- layers
    "linear sizes": lambda t, f: t.nn.Linear(3, 2)(t.ones(2, 4)),
    "linear of doubles": lambda t, f: t.nn.Linear(3, 2)(t.ones(2, 3).double()),
    "linear of a scalar": lambda t, f: t.nn.Linear(3, 2)(t.ones(())),
    "linear bias": lambda t, f: f.linear(t.ones(2, 3), t.ones(4, 3), t.ones(5)),
    "linear bias dtype": lambda t, f: f.linear(t.ones(2, 3), t.ones(4, 3), t.ones(4).double()),
    "linear weight 3-D": lambda t, f: f.linear(t.ones(2, 3), t.ones(2, 3, 3)),
    "linear weight 1-D and bias": lambda t, f: f.linear(t.ones(2, 3), t.ones(3), t.ones(())),
    "bilinear sizes": lambda t, f: t.nn.Bilinear(2, 3, 1)(t.ones(2, 3), t.ones(2, 3)),
    "bilinear batches": lambda t, f: t.nn.Bilinear(2, 3, 1)(t.ones(2, 2), t.ones(3, 3)),
    "Bilinear(0, 1, 1)": lambda t, f: t.nn.Bilinear(0, 1, 1),
    "dropout p": lambda t, f: f.dropout(t.ones(3), 1.1),
    "Dropout p": lambda t, f: t.nn.Dropout(-0.1),
    "AlphaDropout p": lambda t, f: t.nn.AlphaDropout(2),
    "dropout of integers": lambda t, f: f.dropout(t.tensor([1, 2])),
    "alpha_dropout of integers": lambda t, f: f.alpha_dropout(t.tensor([1, 2]), training=True),
    "batch_norm one value": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(1, 3)),
    "batch_norm one value (1,C,1)": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(1, 3, 1)),
    "batch_norm 1-D": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(3)),
    "batch_norm 4-D": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(3, 3, 1, 1)),
    "batch_norm channels": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(4, 5)),
    "batch_norm of doubles": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(4, 3).double()),
    "batch_norm of integers": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(4, 3).long()),
    "batch_norm no statistics": lambda t, f: f.batch_norm(t.ones(2, 3), None, None),
    "batch_norm weight": lambda t, f: f.batch_norm(
        t.ones(2, 3), t.ones(3), t.ones(3), weight=t.ones(2)),
    "batch_norm running_var": lambda t, f: f.batch_norm(t.ones(2, 3), t.ones(3), t.ones(2)),
    "batch_norm half statistics": lambda t, f: f.batch_norm(
        t.ones(2, 3), t.ones(3), None, training=True),
    "batch_norm eps": lambda t, f: f.batch_norm(t.ones(2, 3), t.ones(3), t.ones(3), eps=-1.0),
    "batch_norm eps 0": lambda t, f: f.batch_norm(
        t.ones(2, 3), t.ones(3), t.ones(3), training=True, eps=0.0),
    "layer_norm sizes": lambda t, f: t.nn.LayerNorm(4)(t.ones(2, 3)),
    "layer_norm rank": lambda t, f: t.nn.LayerNorm((2, 3))(t.ones(3)),
    "layer_norm no dims": lambda t, f: f.layer_norm(t.ones(2, 3), ()),
    "layer_norm weight": lambda t, f: f.layer_norm(t.ones(2, 3), (3,), t.ones(2)),
    "layer_norm of doubles": lambda t, f: t.nn.LayerNorm(3)(t.ones(2, 3).double()),
    "layer_norm of integers": lambda t, f: f.layer_norm(t.ones(2, 3).long(), (3,)),
    "layer_norm int": lambda t, f: f.layer_norm(t.ones(2, 3), 3),
    "embedding too large": lambda t, f: t.nn.Embedding(3, 2)(t.tensor([0, 3])),
    "embedding negative": lambda t, f: t.nn.Embedding(3, 2)(t.tensor([-1])),
    "embedding of floats": lambda t, f: t.nn.Embedding(3, 2)(t.ones(2)),
    "embedding of bytes": lambda t, f: t.nn.Embedding(3, 2)(t.ones(2).byte()),
    "embedding vector": lambda t, f: f.embedding(t.tensor([1]), t.ones(3)),
    "embedding padding": lambda t, f: f.embedding(t.tensor([1]), t.ones(3, 2), padding_idx=3),
    "Embedding padding": lambda t, f: t.nn.Embedding(3, 2, padding_idx=-4),
    "Embedding._weight": lambda t, f: t.nn.Embedding(3, 2, _weight=t.ones(2, 3)),
    "from_pretrained": lambda t, f: t.nn.Embedding.from_pretrained(t.ones(3)),
    "one_hot too large": lambda t, f: f.one_hot(t.tensor([1, 2]), 2),
    "one_hot negative": lambda t, f: f.one_hot(t.tensor([-1, 2])),
    "one_hot of int32": lambda t, f: f.one_hot(t.tensor([1]).int()),
    "one_hot of nothing": lambda t, f: f.one_hot(t.ones(0).long()),
    "cosine sizes": lambda t, f: f.cosine_similarity(t.ones(2, 3), t.ones(4)),
    "cosine of integers": lambda t, f: f.cosine_similarity(t.tensor([[1]]), t.tensor([[1]])),
    "normalize integers": lambda t, f: f.normalize(t.tensor([[1]])),
    "Unflatten size": lambda t, f: t.nn.Unflatten(1, 3),
    "Unflatten float": lambda t, f: t.nn.Unflatten(1, (3, 1.5)),
    "Flatten order": lambda t, f: t.nn.Flatten(2, 1)(t.ones(1, 2, 3)),
    # -- modules
    "no forward": lambda t, f: t.nn.Module()(t.ones(1)),
    "to an integer type": lambda t, f: t.nn.Linear(1, 1).to(t.int64),
    "train('yes')": lambda t, f: t.nn.Linear(1, 1).train("yes"),
    "integer parameter": lambda t, f: t.nn.Parameter(t.tensor([1])),
    "clip a nan": lambda t, f: t.nn.utils.clip_grad_norm_(
        [nan_gradient(t)], 1.0, error_if_nonfinite=True),
    "vector of a list": lambda t, f: t.nn.utils.vector_to_parameters([1.0], []),
    # -- initialisers
    "fan of a vector": lambda t, f: t.nn.init.xavier_uniform_(t.ones(3)),
    "mode": lambda t, f: t.nn.init.kaiming_uniform_(t.ones(3, 3), mode="fan"),
    "gain": lambda t, f: t.nn.init.calculate_gain("swish"),
    "slope": lambda t, f: t.nn.init.calculate_gain("leaky_relu", True),
    "eye_ 3-D": lambda t, f: t.nn.init.eye_(t.ones(1, 1, 1)),
    "dirac_ 2-D": lambda t, f: t.nn.init.dirac_(t.ones(2, 2)),
    "dirac_ groups": lambda t, f: t.nn.init.dirac_(t.ones(3, 2, 2), 2),
    "orthogonal_ 1-D": lambda t, f: t.nn.init.orthogonal_(t.ones(2)),
    "sparse_ 1-D": lambda t, f: t.nn.init.sparse_(t.ones(2), 0.5),
}


def nan_gradient(t: Any) -> Any:
    p = t.nn.Parameter(t.ones(2))
    p.grad = t.tensor([1.0, float("nan")])
    return p


@pytest.mark.parametrize("name", BAD)
def test_bad_input_raises_what_torch_raises(name: str) -> None:
    def program(engine: Any) -> Any:
        engine.manual_seed(0)
        return BAD[name](engine, engine.nn.functional)

    found = assert_agree(program)
    assert issubclass(found.type, Exception), f"{name} was not refused: {found!r}"
    assert len(found.text) > 10, found


REFUSED = {
    "loss": lambda x, m: minitorch.nn.functional.cross_entropy(x, minitorch.tensor([9] * 4)),
    "one value": lambda x, m: m["norm"](x[:1]),
    "channels": lambda x, m: m["norm"](x[:, :2]),
    "dtype": lambda x, m: m["norm"](x.double()),
    "dropout": lambda x, m: minitorch.nn.functional.dropout(x.long()),
    "dropout in place": lambda x, m: minitorch.nn.functional.dropout(x, inplace=True),
    "relu in place": lambda x, m: minitorch.nn.functional.relu(x, inplace=True),
    "embedding": lambda x, m: m["table"](minitorch.tensor([0, 7])),
    "clip": lambda x, m: minitorch.nn.utils.clip_grad_norm_([x], 0.1, error_if_nonfinite=True),
    "vector": lambda x, m: minitorch.nn.utils.vector_to_parameters(minitorch.ones(5), [x]),
    "to": lambda x, m: m.to(minitorch.int32),
    "cuda": lambda x, m: m.cuda(),
    "init": lambda x, m: minitorch.nn.init.xavier_normal_(m["norm"].weight),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_changes_nothing(name: str) -> None:
    """Values, gradients, buffers, versions and the random stream are as before."""
    if name == "cuda" and minitorch.backend.cuda_count():
        pytest.skip("there is a GPU")
    minitorch.manual_seed(1)
    nn = minitorch.nn
    modules = nn.ModuleDict({"norm": nn.BatchNorm1d(3), "table": nn.Embedding(3, 2, max_norm=0.1)})
    x = minitorch.randn(4, 3, requires_grad=True)
    (x * float("nan")).sum().backward()
    tensors = [x, x.grad, *modules.state_dict(keep_vars=True).values()]
    before = [(t.array.copy(), t.version[0]) for t in tensors]
    stream = minitorch.get_rng_state().numpy()
    with pytest.raises((ValueError, RuntimeError, IndexError, TypeError)):
        REFUSED[name](x, modules)
    for t, (array, version) in zip(tensors, before):
        np.testing.assert_array_equal(t.array, array)
        assert t.version[0] == version
    np.testing.assert_array_equal(minitorch.get_rng_state().numpy(), stream)

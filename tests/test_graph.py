"""The graph behind a tensor: gradients, hooks, leaves, and the names of operators."""

import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.twins import Given, agree, drawn, lines, seeds

GRAPH = lines("""
    x.requires_grad_().sum().backward(); x.grad
    (x * 2).requires_grad
    (x * 2).detach().requires_grad
    x.requires_grad_(); y = (x * x).sum(); y.backward(); y.backward()
    x.requires_grad_(); y = (x * x).sum(); y.backward(retain_graph=True); y.backward(); x.grad
    x.requires_grad_(); y = x * x; y.backward()
    x.requires_grad_(); y = x * x; y.backward(torch.ones_like(x)); x.grad
    x.requires_grad_(); y = x * x; y.backward(torch.ones(7))
    x.requires_grad_(); y = x * x; y.retain_grad(); y.sum().backward(); (y.grad, y.retains_grad)
    x.requires_grad_(); y = x * x; y.sum().backward(); y.grad
    x.sum().backward()
    x.retain_grad()
    x.register_hook(print)
    x.requires_grad_(); h = x.register_hook(lambda g: g * 2); x.sum().backward(); x.grad
    x.requires_grad_(); h = x.register_hook(lambda g: g * 2); h.remove(); x.sum().backward(); x.grad
    x.requires_grad_(); y = x * 3; y.register_hook(lambda g: g * 10); y.sum().backward(); x.grad
    x.requires_grad_(); x.grad = x.detach() * 0; x.sum().backward(); x.grad
    x.requires_grad_(); del x.grad; x.grad
    x.requires_grad_(); x.sum().backward(); x.grad.zero_(); x.grad
    x.requires_grad_(); y = x.detach().requires_grad_(); y.sum().backward(); (x.grad, y.grad)
    x.requires_grad_(); y = x.clone().detach_(); (y.requires_grad, y.is_leaf, y.grad_fn)
    x.requires_grad = True; x.requires_grad
    x.long().requires_grad_()
    x.requires_grad_(); y = x.double().float().double(); y.sum().backward(); x.grad
    x.requires_grad_(); y = x.to(torch.float64); y.sum().backward(); x.grad.dtype
    x.requires_grad_(); (x.grad_fn, x.is_leaf, (x * 1).is_leaf)
    x.requires_grad_(); y = x * 1; (y.grad_fn is not None, y[0].grad_fn is not None)
""")


@given(seed=seeds, kind=st.sampled_from(["float32", "float64"]))
def test_the_graph_of_a_leaf_agrees_with_torch(seed, kind):
    agree(GRAPH, grads=False, x=Given(drawn((3,), kind, seed)))


def test_names_of_operators_agree_with_torch():
    """``grad_fn`` shows PyTorch's names."""
    programs = lines("""
        x[0]
        x[:, 0]
        x[0, 1:]
        x[..., None]
        x[x > 0]
        x[[0, 1]]
        x + 1
        1 - x
        x - y
        2 * x
        x / 3
        2 / x
        -x
        abs(x)
        x ** 2
        2 ** x
        x ** y
        x % 2
        x @ y.t()
        x @ x[0]
        x[0] @ x[0]
        torch.mm(x, y.t())
        torch.addmm(x, x, torch.ones(4, 4))
        torch.bmm(x[None], y.t()[None])
        torch.outer(x[0], y[0])
        x.t()
        x.T
        x.mT
        x.transpose(0, 1)
        x.permute(1, 0)
        x.reshape(12)
        x.t().reshape(12)
        x.view(-1)
        x.flatten()
        x.unsqueeze(0)
        x[:1].squeeze()
        x[:1].squeeze(0)
        x.expand(2, 3, 4)
        x.repeat(2, 1)
        x.flip(0)
        x.roll(1, 0)
        x.clone()
        x.double()
        x.sum()
        x.sum(0)
        x.mean()
        x.mean(1, keepdim=True)
        x.max()
        x.max(0)[0]
        x.min(1).values
        x.amax(0)
        x.amin()
        x.median()
        x.prod()
        x.var()
        x.std(0)
        x.norm()
        x.logsumexp(0)
        x.cumsum(0)
        x.softmax(1)
        x.log_softmax(1)
        x.exp()
        x.log()
        x.log1p()
        x.sqrt()
        x.square()
        x.pow(3)
        x.tanh()
        x.sigmoid()
        x.relu()
        x.clamp(0, 1)
        x.clamp_min(0)
        torch.maximum(x, y)
        torch.where(x > 0, x, y)
        torch.cat([x, y])
        torch.stack([x, y])
        x.split(1)[0]
        x.unbind()[0]
        list(x)[0]
        x.masked_fill(x > 0, 0.0)
        x.gather(0, torch.zeros(1, 4, dtype=torch.int64))
        x.index_select(0, torch.tensor([0]))
        torch.lerp(x, y, 0.5)
        torch.addcmul(x, y, y)
        x.tril()
        x.diagonal()
        x.trace()
        (x * 1).add_(1)
        (x * 1).zero_()
        (x * 1).relu_()
        torch.nn.functional.linear(x, y)
        torch.nn.functional.linear(x, y, x[:, 0])
        torch.nn.functional.mse_loss(x, y)
        torch.nn.functional.binary_cross_entropy(x.sigmoid(), y.sigmoid().detach())
        torch.nn.functional.binary_cross_entropy_with_logits(x, y.sigmoid().detach())
        torch.nn.functional.cross_entropy(x, torch.tensor([0, 1, 2]))
        torch.nn.functional.cross_entropy(x, torch.tensor([0, 1, 2]), reduction="none")
        torch.nn.functional.nll_loss(x, torch.tensor([0, 1, 2]))
        torch.nn.functional.l1_loss(x, y)
        torch.nn.functional.kl_div(x, y.softmax(1).detach(), reduction="batchmean")
    """)
    for program in programs:
        shown = []
        for engine in (torch, minitorch):
            x = (engine.arange(12.0).reshape(3, 4) + 0.5).requires_grad_()
            y = (engine.arange(12.0).reshape(3, 4) - 5.5).requires_grad_()
            text = str(eval(program, {"torch": engine, "x": x, "y": y}))
            shown.append(text[text.rindex("grad_fn="):])
        assert shown[1] == shown[0], program

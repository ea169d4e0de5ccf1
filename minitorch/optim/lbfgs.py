"""L-BFGS: a quasi-Newton method that remembers a few steps instead of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch import backend
from minitorch.engine import Tensor, wrap
from minitorch.inplace import wrote
from minitorch.modes import enable_grad, no_grad
from minitorch.optim.elementwise import check_rate, number
from minitorch.optim.line_search import Point, strong_wolfe
from minitorch.optim.optimizer import Optimizer

Array = Any


class LBFGS(Optimizer):
    """Limited-memory BFGS (Nocedal 1980; Liu & Nocedal 1989), for full batches.

    From the last ``history_size`` steps ``s`` and changes of the gradient ``y`` it forms the
    direction ``d = -H g``, where ``H`` approximates the inverse Hessian (Nocedal & Wright 2006,
    Algorithm 7.4), and takes ``x += t * d``. ``t`` is ``lr``, at the very first step at most
    ``lr / sum(|g|)``; with ``line_search_fn="strong_wolfe"`` it is searched for.

    ``step(closure)`` makes up to ``max_iter`` such iterations and up to ``max_eval`` (by default
    1.25 times that) calls of ``closure``, which must compute the loss and its gradient anew. It
    stops early where no gradient is above ``tolerance_grad``, or where neither an element nor the
    loss moves by ``tolerance_change``. One parameter group only; it is all one vector. Raises
    ValueError for several groups or a negative rate, and RuntimeError for another line search.

    >>> import minitorch as torch
    >>> x = torch.tensor([-1.5, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([x], max_iter=40, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> x
    tensor([1.0000, 1.0000], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9,
                 history_size: int = 100, line_search_fn: str | None = None) -> None:
        check_rate(lr)
        super().__init__(params, dict(
            lr=lr, max_iter=max_iter, max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad, tolerance_change=tolerance_change,
            history_size=history_size, line_search_fn=line_search_fn))
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Any]:
        params: list[Any] = self.param_groups[0]["params"]
        return params

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Minimise for up to ``max_iter`` iterations; returns the loss before the first."""
        with no_grad():
            return self._minimise(enable_grad()(closure))

    def _minimise(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr, tolerance = number(group["lr"]), group["tolerance_change"]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state = self.state[self._params[0]]  # of all parameters, as PyTorch stores it
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first = closure()
        loss, g = float(first), self._gradient()
        evaluations = 1
        state["func_evals"] += 1
        if abs(g).max() <= group["tolerance_grad"]:
            return first
        memory = Memory(state, group["history_size"])
        d, t, before = memory.d, memory.t, state.get("prev_loss")
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                d = -g
                t = min(1.0, 1.0 / abs(g).sum()) * lr
            else:
                memory.remember(d * t, g - memory.g)
                d = memory.direction(g)
                t = lr
            memory.g, before = g, loss
            slope = g @ d
            if slope > -tolerance:
                break
            calls = 0
            if group["line_search_fn"]:
                start = Point(0, loss, g, slope)
                end, calls = self._search(closure, d, start, t, group["max_eval"] - evaluations)
                loss, g, t = end.loss, end.g, end.t
                self._move(d * t)
            else:
                self._move(d * t)
                if iteration != group["max_iter"]:  # the next call would compute it again
                    loss, g, calls = float(closure()), self._gradient(), 1
            evaluations += calls
            state["func_evals"] += calls
            if (evaluations >= group["max_eval"] or abs(g).max() <= group["tolerance_grad"]
                    or abs(d * t).max() <= tolerance or abs(loss - before) < tolerance):
                break
        memory.d, memory.t = d, t
        memory.store(state, before)
        return first

    def _search(self, closure: Callable[[], Any], d: Array, start: Point, t: Any,
                tries: int) -> tuple[Point, int]:
        origin = [p.array.copy() for p in self._params]

        def phi(t: Any) -> Point:
            self._move(d * t)
            loss, g = float(closure()), self._gradient()
            for p, x in zip(self._params, origin):
                p.array[...] = x
                wrote(p)
            return Point(t, loss, g, g @ d)

        # As in PyTorch, the search has a tolerance of its own, whatever tolerance_change is.
        return strong_wolfe(phi, start, t, abs(d).max(), 1e-9, tries)

    def _gradient(self) -> Array:
        """All gradients as one vector; 0 where there is none."""
        xp = backend.namespace(self._params[0].array)
        parts = []
        for p in self._params:
            g = p.array * 0 if p._grad is None else p._grad.array
            if p._grad is not None and p._grad.is_sparse:
                g = g.to_dense()
            parts.append(g.reshape(-1))
        return xp.concatenate(parts)

    def _move(self, step: Array) -> None:
        start = 0
        for p in self._params:
            p.array += step[start:start + p.array.size].reshape(p.array.shape)
            start += p.array.size
            wrote(p)


class Memory:
    """The last steps ``s``, the changes ``y`` of the gradient over them, and ``rho = 1 / (y @ s)``.

    ``scale`` times the identity is what stands for the inverse Hessian before any of them.
    """

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.size = size
        self.y, self.s, self.rho = ([bare(v) for v in state.get(name) or []]
                                    for name in ("old_dirs", "old_stps", "ro"))
        self.scale = bare(state.get("H_diag", 1))
        self.d, self.t = bare(state.get("d")), bare(state.get("t"))
        self.g = bare(state.get("prev_flat_grad"))
        self.alpha: list[Any] = [None] * size

    def remember(self, s: Array, y: Array) -> None:
        """Add a step, unless the curvature along it is not positive; forget the oldest."""
        ys = y @ s
        if ys > 1e-10:
            if len(self.y) == self.size:
                del self.y[0], self.s[0], self.rho[0]
            self.y.append(y)
            self.s.append(s)
            self.rho.append(1.0 / ys)
            self.scale = ys / (y @ y)

    def direction(self, g: Array) -> Array:
        """``-H g`` by the two-loop recursion, which never forms ``H``."""
        q = -g
        for i in reversed(range(len(self.y))):
            self.alpha[i] = self.s[i] @ q * self.rho[i]
            q = q - self.alpha[i] * self.y[i]
        r = q * self.scale
        for i in range(len(self.y)):
            r = r + self.s[i] * (self.alpha[i] - self.y[i] @ r * self.rho[i])
        return r

    def store(self, state: dict[str, Any], loss: float | None) -> None:
        """Write everything into the optimizer's state under PyTorch's names."""
        state.update(
            d=tensor(self.d), t=tensor(self.t), old_dirs=[tensor(v) for v in self.y],
            old_stps=[tensor(v) for v in self.s], ro=[tensor(v) for v in self.rho],
            H_diag=tensor(self.scale), prev_flat_grad=tensor(self.g), prev_loss=loss)
        if state["n_iter"] > 1:
            state["al"] = [tensor(v) for v in self.alpha]


def bare(value: Any) -> Any:
    """A state's tensor as an array, 0-d ones as numbers of their dtype."""
    return value.array[()] if isinstance(value, Tensor) else value


def tensor(value: Any) -> Any:
    """An array or a number of its dtype as a tensor; Python's numbers stay."""
    xp = backend.namespace(value) if hasattr(value, "dtype") else None
    return value if xp is None else wrap(xp.asarray(value))

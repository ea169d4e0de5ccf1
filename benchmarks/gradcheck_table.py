"""How often do gradient checkers cry wolf, and how often do they let a wrong gradient pass?

    python -m benchmarks.gradcheck_table                    the table of docs/gradcheck.md
    python -m benchmarks.gradcheck_table --set development  the functions that the method grew on
    python -m benchmarks.gradcheck_table --list             every wrong verdict, one a line

Functions are PyTorch's, so that every checker sees the same ones; a wrong gradient is the right one
changed on its way to one input. Right gradients are those of PyTorch's autograd. JAX's checker
joins where JAX is installed: it sees the same functions through callbacks.

What counts as wrong, decided without any checker's error bars: let v be a random cotangent with
entries of the size 1/rms(y), g = J^T v, s the rms of the input, and D = ‖(g' - g) s‖ over
coordinates that are not at a kink (nearer than 1e-4 counts as at). g' is below noise, and left out,
if D <= 10 eps^(2/3) max(‖g s‖, ‖v y‖): a central difference with the best step resolves eps^(2/3).
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.gradcheck_functions import SETS, Case
from minitorch.testing import MUTATIONS, check_grad

Array = Any
DTYPES = {"float64": torch.float64, "float32": torch.float32}
JAX = importlib.util.find_spec("jax") is not None


class Trial:
    """A case at drawn inputs in one precision, with its right gradient and wrong ones."""

    def __init__(self, case: Case, seed: int, dtype: str) -> None:
        rng = np.random.default_rng([seed, *case.name.encode()])
        self.case = case
        drawn = case.inputs(rng)
        masks = case.kinks(*drawn) if case.kinks else [np.zeros(np.shape(x), bool) for x in drawn]
        self.inputs = [torch.tensor(x, dtype=DTYPES[dtype]) if np.asarray(x).dtype.kind == "f"
                       else torch.tensor(x) for x in drawn]
        self.floats = [i for i, x in enumerate(self.inputs) if x.is_floating_point()]
        self.k = int(rng.choice(self.floats))
        self.rng, self.eps, self.smooth = rng, np.finfo(dtype).eps, ~masks[self.k]

    def f(self, *inputs: Any) -> Any:
        torch.manual_seed(7)  # dropout draws the same mask each time, for every checker
        return self.case.f(*inputs)

    def leaves(self) -> list[Any]:
        return [x.clone().requires_grad_(i in self.floats) for i, x in enumerate(self.inputs)]

    def spoiled(self, wrong: Callable[[Array], Array] | None) -> Callable[..., Any]:
        """The function, whose gradient is changed on its way to input k; its values are not."""
        def f(*inputs: Any) -> Any:
            args = list(inputs)
            if wrong is not None and torch.is_grad_enabled() and args[self.k].requires_grad:
                x = args[self.k].view_as(args[self.k])
                x.register_hook(lambda g: g if g is None else torch.from_numpy(
                    np.array(wrong(g.detach().numpy()))))
                args[self.k] = x
            return self.f(*args)
        return f

    def one_slice(self) -> Callable[..., Any]:
        """The function with un-broadcasting dropped: input k gets the first slice's gradient."""
        def f(*inputs: Any) -> Any:
            args = list(inputs)
            if torch.is_grad_enabled() and args[self.k].requires_grad:
                shape = args[self.k].shape
                full = args[self.k].expand(self.case.expanded).clone()
                full.register_hook(lambda g: g if g is None else _first_slice(
                    g, g.ndim - len(shape), shape))
                args[self.k] = full
            return self.f(*args)
        return f

    def wrong_gradients(self) -> dict[str, Callable[..., Any]]:
        out = {name: self.spoiled(change) for name, change in MUTATIONS.items()}
        if self.case.expanded and self.k == 0:
            out["un-broadcast dropped"] = self.one_slice()
        return out

    def below_noise(self, f: Callable[..., Any]) -> bool:
        right, ys = self.gradient(self.spoiled(None), draw=True)
        wrong, _ = self.gradient(f)
        rms = [float(np.sqrt(np.mean(x.double().numpy() ** 2))) or 1.0 for x in self.inputs]
        off = np.linalg.norm(((wrong[self.k] - right[self.k]) * rms[self.k])[self.smooth])
        size = np.sqrt(sum(np.sum((right[i] * rms[i]) ** 2) for i in self.floats))
        values = np.sqrt(sum(np.sum((y * v) ** 2) for y, v in zip(ys, self.vs)))
        return not off > 10 * self.eps ** (2 / 3) * max(size, values)

    def gradient(self, f: Callable[..., Any], draw: bool = False) -> Any:
        xs = self.leaves()
        ys = f(*xs)
        ys = [y for y in (ys if isinstance(ys, tuple) else (ys,)) if y.is_floating_point()]
        if draw:
            self.vs = [self.rng.choice([-1, 1], y.shape) * self.rng.uniform(.5, 1, y.shape)
                       / (float((y.detach().double() ** 2).mean().sqrt()) or 1.0) for y in ys]
        pairs = [(y, torch.tensor(v, dtype=y.dtype)) for y, v in zip(ys, self.vs)
                 if y.requires_grad]
        gs = torch.autograd.grad([y for y, _ in pairs], [xs[i] for i in self.floats],
                                 [v for _, v in pairs], allow_unused=True) if pairs else []
        found = {i: 0.0 if g is None else g.double().numpy() for i, g in zip(self.floats, gs)}
        values = [y.detach().double().numpy() for y in ys]
        return {i: np.broadcast_to(found.get(i, 0.0), self.inputs[i].shape)
                for i in self.floats}, values


def _first_slice(g: Any, axes: int, shape: Any) -> Any:
    """All of the gradient in the first slice of the broadcast axes: the others are forgotten."""
    kept = torch.zeros_like(g)
    index = (0,) * axes + tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)
    kept[index] = g[index]
    return kept


def ours(trial: Trial, f: Callable[..., Any], seed: int) -> str:
    report = check_grad(f, *trial.leaves(), seed=seed, explain=False, raise_exception=False)
    return "pass" if report.ok else report.verdict


def torchs(trial: Trial, f: Callable[..., Any], seed: int) -> str:
    torch.manual_seed(seed)
    try:
        return "pass" if torch.autograd.gradcheck(f, trial.leaves()) else "fail"
    except Exception:
        return "fail"


def jaxs(trial: Trial, f: Callable[..., Any], seed: int) -> str:
    """jax.test_util.check_grads, reverse mode, with its default tolerances."""
    import jax
    from jax.test_util import check_grads

    def values(*xs: Any) -> Any:
        args = [torch.tensor(np.array(x)) for x in xs]
        with torch.no_grad():
            ys = f(*args)
        return tuple(y.numpy() for y in (ys if isinstance(ys, tuple) else (ys,))
                     if y.is_floating_point())

    def pulled(xs: Any, vs: Any) -> Any:
        args = [torch.tensor(np.array(x)).requires_grad_() for x in xs]
        full = [torch.tensor(np.array(x)) for x in trial.inputs]
        for i, x in zip(trial.floats, args):
            full[i] = x
        ys = f(*full)
        ys = [y for y in (ys if isinstance(ys, tuple) else (ys,)) if y.is_floating_point()]
        pairs = [(y, torch.tensor(np.array(v))) for y, v in zip(ys, vs) if y.requires_grad]
        gs = torch.autograd.grad([y for y, _ in pairs], args, [v for _, v in pairs],
                                 allow_unused=True) if pairs else [None] * len(args)
        return tuple(np.zeros(x.shape, x.detach().numpy().dtype) if g is None else g.numpy()
                     for x, g in zip(args, gs))

    def at(*xs: Any) -> Any:
        full = [np.array(x) for x in trial.inputs]
        for i, x in zip(trial.floats, xs):
            full[i] = np.array(x)
        return values(*full)

    xs = [np.array(trial.inputs[i]) for i in trial.floats]
    shapes = tuple(jax.ShapeDtypeStruct(y.shape, y.dtype) for y in at(*xs))
    g = jax.custom_vjp(lambda *xs: jax.pure_callback(at, shapes, *xs))
    like = tuple(jax.ShapeDtypeStruct(x.shape, x.dtype) for x in xs)
    g.defvjp(lambda *xs: (jax.pure_callback(at, shapes, *xs), xs),
             lambda xs, vs: jax.pure_callback(pulled, like, xs, vs))
    try:
        check_grads(g, tuple(xs), order=1, modes=["rev"], rtol=None, atol=None)
        return "pass"
    except Exception:
        return "fail"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--set", choices=list(SETS), default="held-out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=10, help="the number of the first draw")
    parser.add_argument("--list", action="store_true", help="print every wrong verdict")
    parser.add_argument("--only", help="the cases whose name contains this")
    parser.add_argument("--dtype", choices=list(DTYPES), help="only this precision")
    parser.add_argument("--checkers", default="minitorch,torch,jax")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    checkers: dict[str, Any] = {"minitorch": ours, "torch": torchs, "jax": jaxs}
    checkers = {name: checkers[name] for name in args.checkers.split(",")
                if name != "jax" or JAX}
    if "jax" in checkers:
        import jax
        jax.config.update("jax_enable_x64", True)
    cases = [case for case in SETS[args.set] if not args.only or args.only in case.name]
    print(f"{len(cases)} functions ({args.set}), {args.seeds} draws of each\n")
    print(f"| {'':<8} | {'checker':<10} | false alarms | misses | unsure, right gradient "
          f"| unsure, wrong | seconds |")
    print("|---|---|---|---|---|---|---|")
    for dtype in [args.dtype] if args.dtype else DTYPES:
        counts = {name: Counter[str]() for name in checkers}
        skipped = right = wrong = 0
        for case in cases:
            for seed in range(args.first, args.first + args.seeds):
                trial = Trial(case, seed, dtype)
                right += 1
                tries: dict[str, Callable[..., Any]] = {"right": trial.spoiled(None)}
                for name, f in trial.wrong_gradients().items():
                    if trial.below_noise(f):
                        skipped += 1
                    else:
                        wrong += 1
                        tries[name] = f
                for name, f in tries.items():
                    for checker, check in checkers.items():
                        start = time.perf_counter()
                        verdict = check(trial, f, seed)
                        counts[checker]["seconds"] += time.perf_counter() - start  # type: ignore
                        good = {"right": "pass"}.get(name, "fail")
                        counts[checker][("right " if name == "right" else "wrong ") + verdict] += 1
                        if args.list and verdict != good:
                            print(f"    {checker}: {case.name}, {dtype}, draw {seed}, {name}: "
                                  f"{verdict}", flush=True)
        for checker, n in counts.items():
            print(f"| {dtype} | {checker:<10} | {n['right fail']} of {right} "
                  f"| {n['wrong pass']} of {wrong} | {n['right unsure']} | {n['wrong unsure']} "
                  f"| {n['seconds']:.0f} |", flush=True)
        print(f"    {dtype}: {skipped} mutations left out: they change nothing, or less than noise",
              flush=True)


if __name__ == "__main__":
    main()

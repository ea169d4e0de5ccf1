"""Kernels written by hand compute what forwards and rules do, in whatever order threads run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minitorch as torch
from minitorch import backend
from minitorch.kernels.cuda import cells, launch, written, written_cells
from minitorch.primitive import registry
from tests import nvrtc
from tests.emulated import Emulated
from tests.standin import gpu

FLOATS = (np.float32, np.float64)
FILES = {("block", "cross_entropy"): ["cross_entropy_rows", "cross_entropy_total",
                                      "cross_entropy_back"],
         ("block", "norm"): ["layer_norm", "layer_norm_back", "batch_norm", "batch_norm_back"],
         ("columns",): ["columns"], ("embedding",): ["scatter_rows"],
         ("dropout",): ["dropout", "take", "philox_words"]}
XP = SimpleNamespace(**vars(backend.numpy_words))
XP.empty = lambda shape, dtype: np.full(shape, 77, dtype)  # nothing that was right before


@pytest.fixture(scope="module")
def together() -> Emulated:
    """A launcher that has been asked for all kernels, so that they share one compilation."""
    launcher = Emulated()
    for files, names in FILES.items():
        for dtype in FLOATS:
            launcher.function(written.text(np.dtype(dtype), *files), names[0])
    return launcher


@pytest.fixture
def prepared(emulated: Any, together: Any, monkeypatch: Any) -> Any:
    monkeypatch.setattr(launch, "launcher", together)
    return together


def same(name: str, part: str, args: tuple[Any, ...], launches: int) -> None:
    """A cell against the operator's own, sums of which are in another order: within 64 roundings of
    their largest terms, which are of the size of 1. With the threads last to first the result is
    the same to the last bit.
    """
    op = registry[name]
    i = op.parameters.index(part) if part in op.parameters else None
    function = op.forward if i is None else op.rules[i]
    cell = written_cells.CELLS[name, part](function)
    launcher: Any = launch.launcher
    results = []
    for backwards in (False, True):
        launcher.backwards, before = backwards, launcher.launches
        out = cell(XP, *args)
        assert launcher.launches == before + launches
        results.append(out if isinstance(out, tuple) else (out,))
    launcher.backwards = False
    with np.errstate(all="ignore"):
        expected = function(backend.numpy_words, *args)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for a, b, c in zip(*results, expected, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == c.dtype and a.shape == np.shape(c)
        eps = 64 * float(np.finfo(c.dtype).eps)
        np.testing.assert_allclose(a, c, eps, eps)


def drawn(rng: np.random.Generator, dtype: Any, *shape: int) -> np.ndarray:
    a = np.asarray(rng.normal(size=shape)).astype(dtype)
    a.flags.writeable = False
    return a


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("n", "c"), [(5, 10), (3, 1), (2, 300), (40, 3)])
def test_cross_entropy(n: int, c: int, reduction: str, dtype: Any, prepared: Any) -> None:
    rng = np.random.default_rng(n)
    for weighted, smoothing in ((False, 0.0), (True, 0.0), (False, 0.1), (True, 0.3)):
        x, target = 3 * drawn(rng, dtype, n, c), rng.integers(0, c, n)
        target[1] = -100  # ignored
        weight = abs(drawn(rng, dtype, c)) + dtype(0.1) if weighted else None
        rest = (target, weight, -100, reduction, smoothing)
        same("cross_entropy", "forward", (x, *rest), 1 + (reduction != "none"))
        logp = registry["cross_entropy"].forward(backend.numpy_words, x, *rest)[1]
        g = drawn(rng, dtype, *[n] * (reduction == "none"))
        same("cross_entropy", "x", (g, logp, *rest), 1 + (reduction == "mean"))


def test_more_rows_than_a_block_has_threads(prepared: Any) -> None:
    rng = np.random.default_rng(0)
    target, weight, total = rng.integers(0, 3, 700), np.array([1.0, 2.0, 4.0]), np.zeros(2)
    written.total_weight(target, weight, 1, 3, total)
    assert total[1] == weight[target[target != 1]].sum()  # of whole numbers, in any order


def test_a_class_that_is_none_makes_nan_and_reads_nothing_else(prepared: Any) -> None:
    x, target = np.ones((3, 4), np.float32), np.array([0, 4, -1])
    forward = written_cells.CELLS["cross_entropy", "forward"](registry["cross_entropy"].forward)
    loss, _ = forward(XP, x, target, np.ones(4, np.float32), -100, "none", 0.0)
    np.testing.assert_array_equal(np.isnan(loss), [False, True, True])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("shape", "dims"), [((4, 5), 1), ((3, 2, 33), 1), ((2, 3, 100), 2),
                                             ((7,), 1), ((2, 700), 1)])
def test_layer_norm(shape: tuple[int, ...], dims: int, dtype: Any, prepared: Any) -> None:
    rng = np.random.default_rng(0)
    for affine in (False, True):
        x, last = drawn(rng, dtype, *shape), shape[len(shape) - dims:]
        weight, bias = (drawn(rng, dtype, *last) if affine else None for _ in range(2))
        same("layer_norm", "forward", (x, weight, bias, dims, 1e-5), 1)
        _, normed, invstd = registry["layer_norm"].forward(backend.numpy_words, x, weight, bias,
                                                           dims, 1e-5)
        same("layer_norm", "x", (drawn(rng, dtype, *shape), weight, normed, invstd, dims), 1)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(7, 5), (30, 40), (3, 5, 40), (2, 3, 4, 5), (2, 9, 2)])
def test_batch_norm(shape: tuple[int, ...], dtype: Any, prepared: Any) -> None:
    rng = np.random.default_rng(0)
    op = registry["batch_norm"]
    for affine in (False, True):
        x, g = drawn(rng, dtype, *shape), drawn(rng, dtype, *shape)
        weight, bias = (drawn(rng, dtype, shape[1]) if affine else None for _ in range(2))
        args = (x, weight, bias, None, None, True, 1e-5)
        same("batch_norm", "forward", args, 1)
        _, normed, invstd, *_ = op.forward(backend.numpy_words, *args)
        same("batch_norm", "x", (g, weight, normed, invstd, True), 1)
        results = [np.ones(k, dtype) for k in (shape, shape[1], shape[1])]
        written.batch_norm_back(g, weight, normed, invstd, *results)  # all at once
        for i, part, rest in ((0, "x", (weight, normed, invstd, True)), (1, "weight", (normed,)),
                              (2, "bias", ())):
            alone = written_cells.CELLS["batch_norm", part](op.rules[i])(XP, g, *rest)
            np.testing.assert_array_equal(results[i], alone)
            expected = op.rules[i](backend.numpy_words, g, *rest)
            eps = 64 * np.finfo(dtype).eps * (1 if i == 0 else np.sqrt(x.size / shape[1]))  # a sum
            np.testing.assert_allclose(alone, expected, eps, eps)


def in_order(x: np.ndarray) -> np.ndarray:
    """The sums of the columns as the kernel adds: eight threads a column, every eighth row each."""
    lanes = np.zeros((8, x.shape[1]), x.dtype)
    for i, row in enumerate(x):
        lanes[i % 8] += row
    total = lanes[0]
    for lane in lanes[1:]:
        total = total + lane
    return total


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n", "m"), [(1, 1), (100, 10), (37, 70), (1500, 33)])
def test_sums_of_columns(n: int, m: int, dtype: Any, prepared: Any) -> None:
    x = drawn(np.random.default_rng(0), dtype, n, m)
    out = written.column_sums(XP, x)
    chunk = n if n <= 4 * written.CHUNK else -(-n // -(-n // written.CHUNK))
    parts = np.array([in_order(x[i:i + chunk]) for i in range(0, n, chunk)])
    np.testing.assert_array_equal(out, in_order(parts) if len(parts) > 1 else parts[0])


def test_what_broadcasting_spread_is_summed_by_a_kernel(prepared: Any) -> None:
    before = prepared.launches
    for shape, axes in (((6, 5), (0,)), ((2, 3, 5), (0, 1)), ((2, 3, 5), (0,)), ((2, 3), (1,)),
                        ((2, 3), (0, 1)), ((0, 3), (0,)), ((2, 3, 5), (1,))):
        x = drawn(np.random.default_rng(0), np.float64, *shape)
        for keepdims in (True, False):
            out, expected = cells.sums(XP, x, axes, keepdims), x.sum(axes, keepdims=keepdims)
            assert out.shape == expected.shape
            np.testing.assert_allclose(out, expected, atol=1e-14)
    assert prepared.launches == before + 6


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("padding", [None, 2])
def test_embedding(padding: int | None, dtype: Any, prepared: Any) -> None:
    rng = np.random.default_rng(0)
    for shape in ((4,), (3, 50)):
        index = rng.integers(0, 6, shape)
        same("embedding", "weight", (drawn(rng, dtype, *shape, 5), (6, 5), index, padding, False,
                                     False), 1)
    out = np.zeros((3, 1), dtype)
    written.scatter_rows(np.ones((2, 1), dtype), np.array([-1, 0]), out)
    np.testing.assert_array_equal(out[:, 0], [1, 0, 1])


def philox(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Salmon et al. 2011, in NumPy: counters (n, 4) and keys (n, 2) of 32 bits in uint64."""
    c, k, low = counter.astype(np.uint64), key.astype(np.uint64), np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = c[:, 0] * np.uint64(0xD2511F53), c[:, 2] * np.uint64(0xCD9E8D57)
        c = np.stack([(b >> np.uint64(32)) ^ c[:, 1] ^ k[:, 0], b & low,
                      (a >> np.uint64(32)) ^ c[:, 3] ^ k[:, 1], a & low], 1)
        k = (k + np.array([0x9E3779B9, 0xBB67AE85], np.uint64)) & low
    return c.astype(np.uint32)


def test_philox_gives_the_published_words(prepared: Any) -> None:
    """Random123's known answers for philox4x32-10."""
    counters = np.array([[0] * 4, [0xFFFFFFFF] * 4,
                         [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344]], np.uint32)
    keys = np.array([[0] * 2, [0xFFFFFFFF] * 2, [0xA4093822, 0x299F31D0]], np.uint32)
    expected = np.array([[0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8],
                         [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
                         [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]], np.uint32)
    out = np.zeros((3, 4), np.uint32)
    written.run(np.float32, ("dropout",), "philox_words", (1,), (32,), counters, keys, out,
                np.uint32(3))
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(philox(counters, keys), expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (1000, 0.2), (1023, 0.9), (50, 0.0), (50, 1.0)])
def test_dropout_draws_again_what_it_drew(n: int, p: float, dtype: Any, prepared: Any) -> None:
    seed, offset = 0x123456789ABCDEF0, (1 << 32) - 3  # the counter's low word overflows
    generator, state = np.array([seed, offset], np.uint64), np.zeros(2, np.uint64)
    written.take(generator, n, state)
    assert state.tolist() == [seed, offset]
    assert generator.tolist() == [seed, offset + -(-n // 4)]
    x, g = (drawn(np.random.default_rng(i), dtype, n) for i in range(2))
    out, back = np.ones(n, dtype), np.ones(n, dtype)
    written.dropout(x, state, p, out)
    written.dropout(g, state, p, back)
    at = np.uint64(offset) + np.arange(-(-n // 4), dtype=np.uint64)
    counters = np.stack([at & np.uint64(0xFFFFFFFF), at >> np.uint64(32),
                         np.zeros_like(at), np.zeros_like(at)], 1)
    keys = np.tile(np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint64), (len(at), 1))
    kept = philox(counters, keys).reshape(-1)[:n] < (1 - p) * 2 ** 32
    scale = dtype(1) / dtype(1 - p) if p < 1 else dtype(0)
    np.testing.assert_array_equal(out, np.where(kept, x * scale, 0))
    np.testing.assert_array_equal(back, np.where(kept, g * scale, 0))
    if n == 1000:
        assert abs(kept.mean() - (1 - p)) < 0.06  # 4 to 5 standard deviations
    written.take(generator, n, state)
    again = np.ones(n, dtype)
    written.dropout(x, state, p, again)
    assert (again != out).any() or n < 100


def test_what_does_not_fit_runs_as_it_is(prepared: Any) -> None:
    before = prepared.launches
    half, single = np.ones((2, 3), np.float16), np.ones((2, 3), np.float32)
    target, gaps = np.array([0, 1]), np.ones((2, 6), np.float32)[:, ::2]
    forward = written_cells.CELLS["cross_entropy", "forward"](registry["cross_entropy"].forward)
    forward(XP, half, target, None, -100, "mean", 0.0)
    forward(XP, gaps, target, None, -100, "mean", 0.0)
    forward(XP, single, target.astype(np.int32), None, -100, "mean", 0.0)
    norm = written_cells.CELLS["batch_norm", "forward"](registry["batch_norm"].forward)
    norm(XP, single, None, None, np.zeros(3, "f"), np.ones(3, "f"), False, 1e-5)
    norm(XP, single, np.ones(3), None, None, None, True, 1e-5)  # a weight of float64
    assert prepared.launches == before


@pytest.mark.parametrize(("files", "old", "new"), [
    (("block", "cross_entropy"), "__syncthreads();  // logp[t] is", "// logp[t] is"),
    (("block", "cross_entropy"), "x[k] - most - sum", "x[k] - sum"),
    (("block", "cross_entropy"), "k == t", "k == t + 1"),
    (("block", "norm"), "for (int by = 16", "for (int by = 8"),
    (("block", "norm"), "y = y + bias[k]", "y = y - bias[k]"),
    (("block", "norm"), "sum = sum / (n * l)", "sum = sum / n"),
    (("block", "norm"), "lane < warps ?", "true ?")])
def test_a_wrong_kernel_is_caught(files: Any, old: str, new: str, emulated: Any,
                                  monkeypatch: Any) -> None:
    text = written.text
    wrong = text(np.dtype(np.float32), *files).replace(old, new)
    assert wrong != text(np.dtype(np.float32), *files)
    monkeypatch.setattr(written, "text", lambda dtype, *names: (
        wrong if names == files and dtype == np.float32 else text(dtype, *names)))
    try:
        if files[1] == "norm":
            test_layer_norm((2, 700), 1, np.float32, emulated)
            test_batch_norm((3, 5, 40), np.float32, emulated)
        else:
            test_cross_entropy(2, 300, "mean", np.float32, emulated)
    except (AssertionError, RuntimeError):
        return
    pytest.fail("not caught")


@pytest.mark.parametrize("architecture", nvrtc.ARCHITECTURES)
def test_every_kernel_compiles_for_gpus(architecture: str) -> None:
    """In float64 for one of them: what that adds is in all."""
    dtypes = FLOATS if architecture == "sm_90" else FLOATS[:1]
    nvrtc.compiled([written.text(np.dtype(dtype), *files) for files in FILES for dtype in dtypes],
                   architecture)


def test_every_file_is_tested() -> None:
    here = Path(written.__file__).parent
    assert {p.stem for p in here.glob("*.cu")} == {name for files in FILES for name in files}
    for files, names in FILES.items():
        for name in names:
            assert f"__global__ void {name}(" in written.text(np.dtype(np.float32), *files)


def trained(device: str) -> tuple[list[float], list[np.ndarray], list[int]]:
    """Losses, parameters and launches of three steps of a small network."""
    rng, f = np.random.default_rng(0), torch.nn.functional

    def tensor(*shape: int) -> Any:
        return torch.tensor(rng.normal(size=shape).astype("f"), device=device).requires_grad_()

    table, w, scale, shift, v, b = params = [
        tensor(10, 8), tensor(16, 8), tensor(16), tensor(16), tensor(5, 16), tensor(5)]
    optimizer = torch.optim.Adam(params, lr=0.01)
    words = torch.tensor(rng.integers(0, 10, 12), device=device)
    classes = torch.tensor(rng.integers(0, 5, 12), device=device)
    losses, counts = [], []
    for _ in range(3):
        before = launch.launcher.launches
        x = f.linear(f.embedding(words, table), w)
        x = torch.relu(f.batch_norm(x, None, None, scale, shift, training=True))
        loss = f.cross_entropy(f.linear(f.layer_norm(x, (16,)), v, b), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        counts.append(launch.launcher.launches - before)
    return losses, [p.detach().cpu().numpy() for p in params], counts


def test_a_training_step_goes_through_kernels(emulated: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(torch.optim.Adam, "programs", {})
    losses, params, counts = trained("cpu")
    assert counts == [0] * 3
    with gpu(emulated):
        losses_there, params_there, counts = trained("cuda")
    # batch norm 1 + 3, relu 2, layer norm 2, cross-entropy 2 + 2, embedding 1, a bias 1, Adam 1
    assert counts == [15] * 3
    np.testing.assert_allclose(losses_there, losses, rtol=1e-5)
    for a, b in zip(params_there, params, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)  # Adam moves by 0.01 whatever the gradient

"""Sparse gradients: who takes them moves as torch's does, who does not says what torch says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.testing.db.optimizers import BETAS, EPS, FLAG, OPTIONS, RATE
from minitorch.testing.db.runs import close, kinds_of_state

# PyTorch says once that it does not check indices.
pytestmark = pytest.mark.filterwarnings("ignore:Sparse invariant checks")

TAKING: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "SparseAdam": dict(lr=RATE, betas=BETAS, eps=EPS, maximize=FLAG),
    "Adagrad": dict(lr=RATE, lr_decay=st.sampled_from([0.0, 0.1]), eps=EPS, maximize=FLAG,
                    initial_accumulator_value=st.sampled_from([0.0, 0.1])),
    "SGD": dict(lr=RATE, momentum=st.sampled_from([0.0, 0.9]), maximize=FLAG),
}


class Table:
    """Word vectors whose rows are read, some twice, some never, some steps none at all."""

    def __init__(self, engine: Any, name: str, options: dict[str, Any], dtype: str,
                 seed: int) -> None:
        self.engine, self.rng = engine, np.random.default_rng(seed)
        rng = np.random.default_rng(seed + 1)
        weight = engine.tensor(rng.normal(size=(6, 3)), dtype=getattr(engine, dtype))
        self.table = engine.nn.Embedding(6, 3, sparse=True, _weight=weight)
        self.v = engine.tensor(rng.normal(size=3), dtype=getattr(engine, dtype))
        self.optimizer = getattr(engine.optim, name)(self.table.parameters(), **options)

    def steps(self, n: int) -> list[Any]:
        for _ in range(n):
            self.optimizer.zero_grad()
            index = self.engine.tensor(self.rng.integers(0, 5, self.rng.integers(0, 5)))
            rows = self.table(index)
            ((rows.sin() * self.v).sum() + (rows * rows).sum() * 0.1).backward()
            self.optimizer.step()
        return [self.table.weight.detach().numpy().copy()]

    def way(self) -> Iterator[list[Any]]:
        """What is compared after 1, 2, 10 and 60 steps: the table, and each kind of state."""
        for n in (1, 1, 8, 50):
            yield self.steps(n)
            yield from kinds_of_state(self.optimizer, [self.table.weight])


@pytest.mark.parametrize("name", TAKING)
@given(data=st.data(), seed=st.integers(0, 99))
def test_sixty_sparse_steps_agree_with_torch(name: str, data: Any, seed: int) -> None:
    chosen = data.draw(st.fixed_dictionaries(TAKING[name]))
    ours, theirs = (Table(engine, name, chosen, "float64", seed) for engine in (minitorch, torch))
    for mine, others in zip(ours.way(), theirs.way(), strict=True):
        close(mine, others, 1e-9, scale=1)


@pytest.mark.parametrize("name", TAKING)
def test_rows_without_a_gradient_stay(name: str) -> None:
    run = Table(minitorch, name, {"lr": 0.1}, "float32", 0)
    before = run.table.weight.detach().numpy().copy()
    run.steps(20)  # never reads the last row
    after = run.table.weight.detach().numpy()
    assert after.dtype == np.float32
    np.testing.assert_array_equal(after[5], before[5])
    assert (after[:5] != before[:5]).all()


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in TAKING])
def test_the_others_refuse_with_torchs_words_and_change_nothing(name: str) -> None:
    texts = []
    for engine in (minitorch, torch):
        dense = engine.ones(2, requires_grad=True)
        table = engine.nn.Embedding(3, 2, sparse=True)
        before = table.weight.detach().clone()
        optimizer = getattr(engine.optim, name)([dense, table.weight])
        dense.grad = engine.ones(2)
        table(engine.tensor([1])).sum().backward()
        with pytest.raises(RuntimeError) as error:
            optimizer.step()
        texts.append(str(error.value))
        assert (table.weight == before).all()
        if engine is minitorch:
            assert dense.tolist() == [1.0, 1.0]
    assert texts[0] == texts[1] and "sparse" in texts[0]


def test_sparse_adam_refuses_dense_gradients_and_sparse_parameters_as_torch() -> None:
    texts = []
    for engine in (minitorch, torch):
        x = engine.ones(2, requires_grad=True)
        x.grad = engine.ones(2)
        with pytest.raises(RuntimeError) as dense:
            engine.optim.SparseAdam([x]).step()
        table = engine.sparse_coo_tensor([[0]], [1.0], (2,), requires_grad=True)
        with pytest.raises(ValueError) as sparse:
            engine.optim.SparseAdam([{"params": [x]}, {"params": [table]}])
        texts.append((str(dense.value), str(sparse.value)))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", ["SGD", "Adagrad"])
def test_decay_and_sparse_gradients_are_refused_as_by_torch(name: str) -> None:
    texts = []
    for engine in (minitorch, torch):
        run = Table(engine, name, {"weight_decay": 0.1}, "float32", 0)
        with pytest.raises(RuntimeError) as error:
            run.steps(20)
        texts.append(str(error.value))
    assert texts[0] == texts[1]


def test_lbfgs_takes_sparse_gradients() -> None:
    found = []
    for engine in (minitorch, torch):
        run = Table(engine, "LBFGS", {"max_iter": 5}, "float64", 3)
        index = engine.tensor([0, 2, 2])

        def closure(run: Any = run, index: Any = index) -> Any:
            run.optimizer.zero_grad()
            loss = (run.table(index).sin() * run.v).sum()
            loss.backward()
            return loss

        run.optimizer.step(closure)
        found.append([run.table.weight.detach().numpy()])
    close(*found, 1e-9)

"""The training step in JAX: forward, backward and update in one jit, its state donated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.networks import Network, endless, weights
from benchmarks.table import SEED

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "ReLU": jax.nn.relu, "Tanh": jnp.tanh, "Sigmoid": jax.nn.sigmoid}


def stepper(network: Network) -> Callable[[Any, Any], Any]:
    """A function that makes one training step on a batch and returns the loss, an array."""
    layers = [(jnp.asarray(w.T), jnp.asarray(b)) for w, b in weights(network)]
    norms = [(jnp.ones(m), jnp.zeros(m)) for m in network.widths[1:-1]] if network.norm else []
    running = [(jnp.zeros(m), jnp.ones(m)) for m in network.widths[1:-1]] if network.norm else []
    params = layers, norms
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = params, zeros, jax.tree.map(jnp.copy, zeros), running, jax.random.key(SEED), 0
    n, lr = network.batch, network.lr

    def loss_of(params: Any, running: Any, key: Any, x: Any, y: Any) -> Any:
        layers, norms = params
        seen = []
        for i, (w, b) in enumerate(layers):
            x = x @ w + b
            if i == len(layers) - 1:
                break
            if norms:
                mean, var = x.mean(0), x.var(0)
                gamma, beta = norms[i]
                x = gamma * (x - mean) / jnp.sqrt(var + 1e-5) + beta
                m, v = running[i]
                seen.append((0.9 * m + 0.1 * mean, 0.9 * v + 0.1 * var * n / (n - 1)))
            x = ACTIVATIONS[network.activation](x)
            if network.dropout:
                keep = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - network.dropout,
                                            x.shape)
                x = jnp.where(keep, x / (1 - network.dropout), 0)
        if network.binary:
            return -jnp.mean(y * jax.nn.log_sigmoid(x) + (1 - y) * jax.nn.log_sigmoid(-x)), seen
        chosen = jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1)
        return -jnp.mean(chosen), seen

    pull = jax.value_and_grad(loss_of, has_aux=True)

    def step(state: Any, x: Any, y: Any) -> Any:
        params, m, v, running, key, t = state
        key, drawn = jax.random.split(key) if network.dropout else (key, key)
        (loss, seen), grads = pull(params, running, drawn, x, y)
        if network.optimizer == "Adam":
            t = t + 1
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
            size, root = lr / (1 - 0.9**t), 1 - 0.999**t
            params = jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v / root) + 1e-8),
                                  params, m, v)
        else:
            params = jax.tree.map(lambda p, g: p - lr * g, params, grads)
        return (params, m, v, seen, key, t), loss

    compiled = jax.jit(step, donate_argnums=0)

    def run(x: Any, y: Any) -> Any:
        nonlocal state
        state, loss = compiled(state, x, y)
        return loss

    return run


def train(network: Network) -> Callable[[], float]:
    """A function that makes one training step and returns the loss."""
    step, data = stepper(network), endless(network, jnp.asarray)
    return lambda: float(step(*next(data)))

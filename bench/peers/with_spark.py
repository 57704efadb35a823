"""
Spark's own somas on JAX, float32. Its variants: `loop` calls the compiled step from Python, as its tutorial does; `scan` has
the steps inside lax.scan, the best its user can do, and takes spikes to the host a hundred steps at a time.
"""

import functools
import os
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
import spark
from protocol import Result, serve

CHUNK = 100


def compiled(graph):
    """One step and many, for all somas of this structure."""

    def step(state, current):
        soma = spark.merge(graph, state)
        spikes = soma(current=current)["spikes"].spikes
        return spark.split(soma)[1], spikes

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def single(state, counts, current):
        state, spikes = step(state, current)
        return (state, counts + spikes.astype(jnp.uint32)), spikes > 0

    @functools.partial(jax.jit, static_argnums=(3, 4), donate_argnums=(0, 1))
    def scan(state, counts, current, steps, recording):
        def body(carry, _):
            state, counts = carry
            state, spikes = step(state, current)
            return (state, counts + spikes.astype(jnp.uint32)), (spikes > 0) if recording else None

        return jax.lax.scan(body, (state, counts), None, length=steps)

    return single, scan


programs = {}


def create(work):
    name = "AdaptiveExponentialSoma" if work.adaptive else "ExponentialSoma"
    soma = getattr(spark.nn.somas, name)(dtype=jnp.float32, dt=0.1)
    current = spark.CurrentArray(jnp.asarray(work.currents().astype(np.float32)))
    soma(current=current)  # builds it
    soma.reset()
    graph, rest = spark.split(soma)
    # JAX cannot tell by itself that a new soma is like the one before, and would compile anew; its user can.
    if name not in programs:
        programs[name] = compiled(graph)
    single, scan = programs[name]
    rest = jax.tree.map(np.asarray, rest)
    chunk = {"loop": 1, "scan": CHUNK if work.recording else work.steps}[work.variant]

    def run():
        state, counts = jax.tree.map(jnp.array, rest), jnp.zeros(work.neurons, jnp.uint32)
        steps, neurons = [], []
        begin = time.perf_counter()
        for first in range(0, work.steps, chunk):
            if chunk == 1:
                (state, counts), raster = single(state, counts, current)
            else:
                size = min(chunk, work.steps - first)
                (state, counts), raster = scan(state, counts, current, size, work.recording)
            if work.recording:
                # Much faster than the positions in two dimensions.
                fired = np.flatnonzero(np.asarray(raster).ravel())
                row = fired // work.neurons
                steps.append((row + first).astype(np.uint32))
                neurons.append((fired - row * work.neurons).astype(np.uint32))
        counts = np.asarray(jax.block_until_ready(counts))
        if not work.recording:
            return Result(time.perf_counter() - begin, counts)
        recorded = np.concatenate(steps), np.concatenate(neurons)
        return Result(time.perf_counter() - begin, counts, *recorded)

    return run


serve(create)

"""The work as a user of numba writes it: one compiled pass over all neurons a step, in parallel, fast math."""

import time

import numba
import numpy as np
from protocol import Result, serve

f = np.float32


@numba.njit(parallel=True, fastmath=True)
def advance(potential, adaptation, current, counts, spikes, adaptive):
    membrane, slow = f(0.1 / 5), f(0.1 / 100)
    for j in numba.prange(len(potential)):
        v = potential[j]
        drive = f(2) * np.exp((v - f(20)) * f(0.5)) - v + f(0.5) * current[j]
        if adaptive:
            drive -= f(0.5) * adaptation[j]
        v += membrane * drive
        spike = v > f(40)
        if spike:
            v = f(19)
        potential[j] = v
        if adaptive:
            adaptation[j] += slow * (f(0.5) * v - adaptation[j]) + (f(7) if spike else f(0))
        counts[j] += spike
        spikes[j] = spike


def create(work):
    numba.set_num_threads(work.threads)
    current = work.currents().astype(f)

    def run():
        potential, adaptation = np.zeros((2, work.neurons), f)
        counts, spikes = np.zeros(work.neurons, np.uint32), np.zeros(work.neurons, bool)
        steps, neurons = [], []
        begin = time.perf_counter()
        for step in range(work.steps):
            advance(potential, adaptation, current, counts, spikes, work.adaptive)
            if work.recording:
                fired = np.flatnonzero(spikes).astype(np.uint32)
                neurons.append(fired)
                steps.append(np.full(len(fired), step, np.uint32))
        if not work.recording:
            return Result(time.perf_counter() - begin, counts)
        recorded = np.concatenate(steps), np.concatenate(neurons)
        return Result(time.perf_counter() - begin, counts, *recorded)

    return run


serve(create)

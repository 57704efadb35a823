"""How a peer in Python is asked for work: see ../peer.ts. It knows no simulator."""

import json
import sys
import time
from typing import NamedTuple

import numpy as np


class Work(NamedTuple):
    adaptive: bool
    neurons: int
    steps: int
    recording: bool
    variant: str
    threads: int

    def currents(self):
        """pA; as in ../work.ts."""
        low, high = (20.0, 80.0) if self.adaptive else (0.0, 50.0)
        return low + (high - low) * ((np.arange(self.neurons) * 0.6180339887498949) % 1)


class Result(NamedTuple):
    seconds: float
    counts: np.ndarray
    """Recorded spikes, or nothing."""
    steps: np.ndarray = np.empty(0, np.uint32)
    neurons: np.ndarray = np.empty(0, np.uint32)


def work_of_arguments():
    soma, neurons, steps, mode, variant, threads = sys.argv[1:]
    adaptive = {"ExponentialSoma": False, "AdaptiveExponentialSoma": True}[soma]
    recording = {"counting": False, "recording": True}[mode]
    return Work(adaptive, int(neurons), int(steps), recording, variant, int(threads))


def serve(create, keep=False):
    """
    Answers until the input ends. create(work) gives a function that runs the work from rest and gives a Result.

    keep: whether a user who wants another run would keep what was compiled, rather than make a simulation anew.
    """
    work = work_of_arguments()
    kept = None
    for line in sys.stdin:
        command, *path = line.split()
        begin = time.perf_counter()
        if command == "run" or keep:
            kept = kept or create(work)
        result = kept() if command == "run" or keep else create(work)()
        if command == "save":
            np.savez(path[0], spike_steps=result.steps, spike_neurons=result.neurons)
        seconds = result.seconds if command == "run" else time.perf_counter() - begin
        counts = result.counts
        answer = dict(
            seconds=seconds,
            spikes=int(counts.sum()),
            fired=int((counts > 0).sum()),
            recorded=len(result.steps),
        )
        print(json.dumps(answer), flush=True)

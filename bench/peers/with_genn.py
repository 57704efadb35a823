"""GeNN on its processor backend, which has one thread; float32, the equations given as its user gives them."""

import atexit
import os
import shutil
import tempfile
import time

# The generated Makefile leaves no other way to ask for this machine's instructions.
os.environ["CXX"] = "g++ -march=native"

import numpy as np
from protocol import Result, serve
from pygenn import GeNNModel, create_neuron_model

ADAPTATION = """
const scalar slope = 0.001 * (0.5 * V - W);
V += 0.02 * (2.0 * exp((V - 20.0) * 0.5) - V - 0.5 * W + 0.5 * I);
W += slope;
"""
PLAIN = "V += 0.02 * (2.0 * exp((V - 20.0) * 0.5) - V + 0.5 * I);"


def create(work):
    folder = tempfile.mkdtemp(prefix="somagpu-genn-")
    atexit.register(shutil.rmtree, folder)
    os.chdir(folder)
    states = ["V", "W"] if work.adaptive else ["V"]
    cell = create_neuron_model(
        "cell",
        vars=[(name, "scalar") for name in states] + [("I", "scalar"), ("spikes", "uint32_t")],
        sim_code=ADAPTATION if work.adaptive else PLAIN,
        threshold_condition_code="V > 40.0",
        reset_code="V = 19.0; spikes += 1;" + (" W += 7.0;" if work.adaptive else ""),
    )
    model = GeNNModel("float", "bench", backend="single_threaded_cpu", optimize_code=True)
    model.dt = 0.1
    start = {name: 0.0 for name in states} | {"I": work.currents().astype(np.float32), "spikes": 0}
    cells = model.add_neuron_population("cells", work.neurons, cell, {}, start)
    cells.spike_recording_enabled = work.recording
    model.build()
    model.load(**({"num_recording_timesteps": work.steps} if work.recording else {}))

    def run():
        for name in [*states, "spikes"]:
            cells.vars[name].view[:] = 0
            cells.vars[name].push_to_device()
        model.timestep = 0
        begin = time.perf_counter()
        for _ in range(work.steps):
            model.step_time()
        recorded = ()
        if work.recording:
            model.pull_recording_buffers_from_device()
            times, neurons = cells.spike_recording_data[0]
            recorded = np.round(times / 0.1).astype(np.uint32), neurons.astype(np.uint32)
        cells.vars["spikes"].pull_from_device()
        return Result(time.perf_counter() - begin, np.array(cells.vars["spikes"].view), *recorded)

    return run


serve(create)

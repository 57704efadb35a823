"""
Brian2, float32, forward Euler. Its variants: `standalone`, a C++ program with OpenMP, whose steps are timed by its own clock;
`cython`, its default, compiled once and kept in its cache.
"""

import atexit
import shutil
import tempfile
import time

import numpy as np
from brian2 import (
    BrianLogger,
    Network,
    NeuronGroup,
    SpikeMonitor,
    defaultclock,
    device,
    ms,
    prefs,
    set_device,
)
from protocol import Result, serve, work_of_arguments

BrianLogger.suppress_hierarchy("brian2")
prefs.core.default_float_dtype = np.float32
WORK = work_of_arguments()
STANDALONE = WORK.variant == "standalone"
if STANDALONE:
    FOLDER = tempfile.mkdtemp(prefix="somagpu-brian2-")
    atexit.register(shutil.rmtree, FOLDER)
    set_device("cpp_standalone", directory=FOLDER, build_on_run=False)
    prefs.devices.cpp_standalone.openmp_threads = WORK.threads
else:
    prefs.codegen.target = "cython"
defaultclock.dt = 0.1 * ms

ADAPTATION = """
dv/dt = (2*exp((v-20)/2) - v - 0.5*w + 0.5*I)/(5*ms) : 1
dw/dt = (0.5*v - w)/(100*ms) : 1
I : 1 (constant)
"""
PLAIN = """
dv/dt = (2*exp((v-20)/2) - v + 0.5*I)/(5*ms) : 1
I : 1 (constant)
"""


def network(work):
    equations, reset = (ADAPTATION, "v = 19; w += 7") if work.adaptive else (PLAIN, "v = 19")
    cells = NeuronGroup(work.neurons, equations, threshold="v > 40", reset=reset, method="euler")
    cells.I = work.currents()
    monitor = SpikeMonitor(cells, record=work.recording)
    return Network(cells, monitor), monitor


def result(work, monitor, seconds):
    counts = np.array(monitor.count[:])
    if not work.recording:
        return Result(seconds, counts)
    steps = np.round(np.array(monitor.t_[:]) / 1e-4).astype(np.uint32)
    return Result(seconds, counts, steps, np.array(monitor.i[:]).astype(np.uint32))


def create(work):
    net, monitor = network(work)
    duration = work.steps * 0.1 * ms
    if STANDALONE:
        net.run(duration)
        device.build(directory=FOLDER, compile=True, run=False)
    else:
        net.store()

    def run():
        if STANDALONE:
            device.run(FOLDER, with_output=False, run_args=[])
            return result(work, monitor, device._last_run_time)
        net.restore()
        begin = time.perf_counter()
        net.run(duration)
        return result(work, monitor, time.perf_counter() - begin)

    return run


serve(create, keep=STANDALONE)

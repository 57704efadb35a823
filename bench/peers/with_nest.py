"""
NEST, whose adaptive exponential neuron has float64 and an adaptive Runge-Kutta of its own, no forward Euler, and so a rate a
little beside the others'. It counts no spikes without recording them.
"""

import os
import time

os.environ["PYNEST_QUIET"] = "1"

import nest
import numpy as np
from protocol import Result, serve

nest.set_verbosity("M_ERROR")


def create(work):
    parameters = dict(
        C_m=10.0, g_L=2.0, E_L=-70.0, V_m=-70.0, V_th=-50.0, Delta_T=2.0, V_peak=-30.0, V_reset=-51.0, t_ref=0.0, tau_w=100.0,
        a=0.5 if work.adaptive else 0.0, b=7.0 if work.adaptive else 0.0,
    )  # fmt: skip

    def run():
        # There is no way back to rest but to begin anew.
        nest.ResetKernel()
        nest.resolution = 0.1
        nest.local_num_threads = work.threads
        cells = nest.Create("aeif_psc_delta", work.neurons, params=parameters)
        cells.I_e = work.currents()
        recorder = nest.Create("spike_recorder")
        nest.Connect(cells, recorder)
        nest.Prepare()
        begin = time.perf_counter()
        nest.Run(work.steps * 0.1)
        events = recorder.get("events")
        neurons = events["senders"] - 1
        steps = np.round(events["times"] / 0.1).astype(np.uint32) - 1
        seconds = time.perf_counter() - begin
        nest.Cleanup()
        return Result(seconds, np.bincount(neurons, minlength=work.neurons), steps, neurons.astype(np.uint32))

    return run


serve(create)

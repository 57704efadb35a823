// What a compiled program makes of bench/cpu.ts's work: uncoupled AdEx neurons, forward Euler, f32, spikes counted.
// The equations are those of AdaptiveExponentialSoma with its defaults, potentials relative to rest. Work, layouts and
// compiler flags follow a survey of simulators made for this project (its C++ limit, cpp/eif.cpp); written anew here.
// usage: adex block|step NEURONS THREADS; then a line "run STEPS" makes that many more steps and is answered with a
// line "SECONDS SPIKES FIRED": wall-clock of those steps; spikes, and neurons with any, since the start.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

struct Cells {
  float *potential, *adaptation, *current;
  unsigned *spikes;
};

template <typename T>
static T *plane(long neurons) {
  const size_t bytes = (neurons * sizeof(T) + 63) / 64 * 64;
  return static_cast<T *>(memset(aligned_alloc(64, bytes), 0, bytes));
}

// One step of the neurons from begin to end.
static inline void advance(const Cells &cells, long begin, long end) {
  constexpr float membrane = 0.1f / 5.0f, slow = 0.1f / 100.0f;
  float *__restrict potential = cells.potential;
  float *__restrict adaptation = cells.adaptation;
  const float *__restrict current = cells.current;
  unsigned *__restrict spikes = cells.spikes;
#pragma omp simd
  for (long i = begin; i < end; i++) {
    float v = potential[i];
    const float w = adaptation[i];
    v += membrane * (2.0f * std::exp((v - 20.0f) * 0.5f) - v - 0.5f * w + 0.5f * current[i]);
    const bool spike = v > 40.0f;
    v = spike ? 19.0f : v;
    potential[i] = v;
    adaptation[i] = w + slow * (0.5f * v - w) + (spike ? 7.0f : 0.0f);
    spikes[i] += spike;
  }
}

// Blocks that stay in the cache for all steps: open to uncoupled neurons only.
static void runBlocks(const Cells &cells, long neurons, long steps, int threads) {
  constexpr long block = 2048;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (long begin = 0; begin < neurons; begin += block)
    for (long step = 0; step < steps; step++) advance(cells, begin, std::min(neurons, begin + block));
}

// Every step passes over all neurons, and the threads wait for each other: what a simulator of networks has to do.
static void runSteps(const Cells &cells, long neurons, long steps, int threads) {
  const long share = ((neurons + threads - 1) / threads + 15) / 16 * 16;
#pragma omp parallel num_threads(threads)
  for (long step = 0; step < steps; step++) {
#pragma omp for schedule(static, 1)
    for (int part = 0; part < threads; part++)
      advance(cells, std::min(neurons, part * share), std::min(neurons, (part + 1) * share));
  }
}

int main(int count, char **words) {
  if (count != 4) return fprintf(stderr, "usage: adex block|step NEURONS THREADS\n"), 2;
  const auto run = strcmp(words[1], "block") == 0 ? runBlocks : runSteps;
  const long neurons = atol(words[2]);
  const int threads = atoi(words[3]);
  const Cells cells = {plane<float>(neurons), plane<float>(neurons), plane<float>(neurons), plane<unsigned>(neurons)};
  for (long i = 0; i < neurons; i++) cells.current[i] = float(20 + 60 * std::fmod(i * 0.6180339887498949, 1.0));

  for (long steps; scanf(" run %ld", &steps) == 1;) {
    const auto start = std::chrono::steady_clock::now();
    run(cells, neurons, steps, threads);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    long spikes = 0, fired = 0;
    for (long i = 0; i < neurons; i++) spikes += cells.spikes[i], fired += cells.spikes[i] > 0;
    printf("%.9f %ld %ld\n", taken.count(), spikes, fired);
    fflush(stdout);
  }
}

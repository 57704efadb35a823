// What a compiled program makes of the work: uncoupled EIF or AdEx neurons, forward Euler, f32. The equations are those of
// ExponentialSoma and AdaptiveExponentialSoma with their defaults, potentials relative to rest. Layouts and compiler flags
// follow a survey of simulators made for this project (its C++ limit, cpp/eif.cpp); written anew here. Its variants:
// `block`, a block of neurons through all steps, and `step`, all neurons step by step. Asked as ../peer.ts asks everybody;
// it knows `run` alone.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

struct Cells {
  float *potential, *adaptation, *current;
  unsigned *spikes;
  /** Whether it spiked in the step just made; of interest only where spikes are recorded. */
  unsigned char *spiked;
};

/** Step and neuron of each spike. */
using Spikes = std::vector<std::pair<unsigned, unsigned>>;

template <typename T>
static T *plane(long neurons) {
  const size_t bytes = (neurons * sizeof(T) + 63) / 64 * 64;
  return static_cast<T *>(memset(aligned_alloc(64, bytes), 0, bytes));
}

/** One step of the neurons from begin to end. */
template <bool adaptive, bool recording>
static inline void advance(const Cells &cells, long begin, long end) {
  constexpr float membrane = 0.1f / 5.0f, slow = 0.1f / 100.0f;
  float *__restrict potential = cells.potential;
  float *__restrict adaptation = cells.adaptation;
  const float *__restrict current = cells.current;
  unsigned *__restrict spikes = cells.spikes;
  unsigned char *__restrict spiked = cells.spiked;
#pragma omp simd
  for (long i = begin; i < end; i++) {
    float v = potential[i];
    const float w = adaptive ? adaptation[i] : 0.0f;
    v += membrane * (2.0f * std::exp((v - 20.0f) * 0.5f) - v - 0.5f * w + 0.5f * current[i]);
    const bool spike = v > 40.0f;
    v = spike ? 19.0f : v;
    potential[i] = v;
    if (adaptive) adaptation[i] = w + slow * (0.5f * v - w) + (spike ? 7.0f : 0.0f);
    spikes[i] += spike;
    if (recording) spiked[i] = spike;
  }
}

/** Eight neurons at a look, for hardly any has spiked. */
static void collect(const Cells &cells, long begin, long end, long step, Spikes &out) {
  for (long i = begin; i < end;) {
    unsigned long eight;
    if (i + 8 <= end && (memcpy(&eight, cells.spiked + i, 8), eight == 0)) {
      i += 8;
      continue;
    }
    for (const long next = std::min(end, i + 8); i < next; i++)
      if (cells.spiked[i]) out.emplace_back(step, i);
  }
}

template <bool adaptive, bool recording>
static void make(const Cells &cells, long begin, long end, long step, Spikes &out) {
  advance<adaptive, recording>(cells, begin, end);
  if (recording) collect(cells, begin, end, step, out);
}

/** Blocks that stay in the cache for all steps: open to uncoupled neurons only. */
template <bool adaptive, bool recording>
static void runBlocks(const Cells &cells, long neurons, long steps, int threads, std::vector<Spikes> &out) {
  constexpr long block = 2048;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (long begin = 0; begin < neurons; begin += block)
    for (long step = 0; step < steps; step++)
      make<adaptive, recording>(cells, begin, std::min(neurons, begin + block), step, out[omp_get_thread_num()]);
}

/** Every step passes over all neurons, and the threads wait for each other: what a simulator of networks has to do. */
template <bool adaptive, bool recording>
static void runSteps(const Cells &cells, long neurons, long steps, int threads, std::vector<Spikes> &out) {
  const long share = ((neurons + threads - 1) / threads + 15) / 16 * 16;
#pragma omp parallel num_threads(threads)
  for (long step = 0; step < steps; step++) {
#pragma omp for schedule(static, 1)
    for (int part = 0; part < threads; part++) {
      const long begin = std::min(neurons, part * share), end = std::min(neurons, (part + 1) * share);
      make<adaptive, recording>(cells, begin, end, step, out[part]);
    }
  }
}

using Run = void (*)(const Cells &, long, long, int, std::vector<Spikes> &);

template <bool adaptive, bool recording>
static Run layout(const std::string &variant) {
  return variant == "block" ? runBlocks<adaptive, recording> : runSteps<adaptive, recording>;
}

int main(int count, char **words) {
  if (count != 7) return fprintf(stderr, "usage: eif SOMA NEURONS STEPS MODE block|step THREADS\n"), 2;
  const bool adaptive = std::string(words[1]) == "AdaptiveExponentialSoma", recording = std::string(words[4]) == "recording";
  const long neurons = atol(words[2]), steps = atol(words[3]);
  const int threads = atoi(words[6]);
  const Run run = adaptive ? recording ? layout<true, true>(words[5]) : layout<true, false>(words[5])
                           : recording ? layout<false, true>(words[5]) : layout<false, false>(words[5]);
  const Cells cells = {plane<float>(neurons), plane<float>(neurons), plane<float>(neurons), plane<unsigned>(neurons),
                       plane<unsigned char>(neurons)};
  const double low = adaptive ? 20 : 0, high = adaptive ? 80 : 50;
  for (long i = 0; i < neurons; i++)
    cells.current[i] = float(low + (high - low) * std::fmod(i * 0.6180339887498949, 1.0));

  for (std::string line; std::getline(std::cin, line);) {
    if (line != "run") return fprintf(stderr, "what is %s?\n", line.c_str()), 2;
    memset(cells.potential, 0, neurons * sizeof(float));
    memset(cells.adaptation, 0, neurons * sizeof(float));
    memset(cells.spikes, 0, neurons * sizeof(unsigned));
    std::vector<Spikes> out(threads);
    const auto start = std::chrono::steady_clock::now();
    run(cells, neurons, steps, threads, out);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    long spikes = 0, fired = 0, recorded = 0;
    for (long i = 0; i < neurons; i++) spikes += cells.spikes[i], fired += cells.spikes[i] > 0;
    for (const Spikes &part : out) recorded += part.size();
    printf("{\"seconds\":%.9f,\"spikes\":%ld,\"fired\":%ld,\"recorded\":%ld}\n", taken.count(), spikes, fired, recorded);
    fflush(stdout);
  }
}

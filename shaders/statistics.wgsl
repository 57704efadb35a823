// Mean, variance, least and most of a state over a run, neuron by neuron, in user units: what a state is kept relative to
// may change on the way. Each word of 32 steps sums up how far it is
// off the mean so far, and is then merged with what there is (Chan, Golub, LeVeque 1983, doi.org/10.1080/00031305.1983.10483115): plain
// sums of millions of float32 numbers would lose their digits.
struct Statistics {
  count: lane,        // 0 steps: how many went in
  mean: lane,         // 0 state: mean
  deviations: lane,   // 0 state^2: sum of squared deviations from the mean
  least: lane,        // 3e38 state: the least
  most: lane,         // -3e38 state: the most
}

// Of a word of steps.
struct Gathered {
  about: lane,
  sum: lane,
  squares: lane,
  least: lane,
  most: lane,
}

// While a soma is blocked its potential may run away to 1e33, whose square has no float32: mean and variance are of what
// is within these bounds.
fn bounded(x: lane) -> lane {
  return min(max(x, lane(-1e14)), lane(1e14));
}

// `x` is the state before them: the first ones are about that.
fn gathering(s: Statistics, x: lane) -> Gathered {
  return Gathered(select(s.mean, bounded(x), s.count == lane()), lane(), lane(), s.least, s.most);
}

fn gather(g: Gathered, x: lane) -> Gathered {
  let off = bounded(x) - g.about;
  return Gathered(g.about, g.sum + off, g.squares + off * off, min(g.least, x), max(g.most, x));
}

fn merged(s: Statistics, g: Gathered, steps: f32) -> Statistics {
  let off = g.sum / steps;
  let count = s.count + steps;
  // Nothing deviates by less than nothing: what rounding makes of it.
  let own = max(g.squares - g.sum * off, lane());
  let between = off * off * (s.count * (steps / count));
  return Statistics(count, g.about + off * (steps / count), s.deviations + own + between, g.least, g.most);
}

// A current drawn anew in every step, normally distributed around its mean.
struct WhiteNoise {
  mean: lane,       // 0 pA: mean
  sd: lane,         // required pA, >= 0, or intensity: standard deviation in each step
  source: Source,
}

fn white_noise(p: WhiteNoise, n: u32, drawn: bits) -> lane {
  return p.mean + p.sd * normal(drawn, n);
}

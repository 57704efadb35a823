// exp(x): at most 2.01 ulp for x from -87.3 to 88, by all float32 numbers there; exp(0) is 1. Below -87.684 it is 0,
// between them subnormal; above 88 it stays exp(88). Monotone but for 3 of two billion neighbours, by an ulp.
// x = n ln 2 + r with ln 2 in two constants (Cody, Waite 1980); a polynomial of degree 5 for |r| <= ln(2) / 2 (minimax
// in ulp, then a search among float32 coefficients with the roundings in it); 2^n by its bits. 22 operations.

// An ulp of numbers in [2^23, 2^24) is 1: adding this rounds to an integer, and leaves it in the low bits. Those of the
// number itself are 127, the bias of an exponent.
const EXP_ROUND = 12583039.0;
const EXP_LOG2_E = 1.4426950408889634;
// 17 bits of ln 2, so that n times it is exact, and the rest.
const EXP_LN2_HIGH = 0.693145751953125;
const EXP_LN2_LOW = 1.428606765330187e-6;

const EXP_1 = 0.999999344;
const EXP_2 = 0.499990731;
const EXP_3 = 0.166684806;
const EXP_4 = 0.0419051833;
const EXP_5 = 0.00824496988;

fn exp(x: lane) -> lane {
  // At -88 n is -127, whose power of two has the bits of 0; at 88 it is 127, the largest there is.
  let inside = min(max(x, lane(-88.0)), lane(88.0));
  let shifted = inside * EXP_LOG2_E + EXP_ROUND;
  let n = shifted - EXP_ROUND;
  let r = (inside - n * EXP_LN2_HIGH) - n * EXP_LN2_LOW;
  // In pairs (Estrin 1960), because a step waits for this: Horner's rule would take half as long again.
  let r2 = r * r;
  let mantissa = ((r2 * (EXP_5 * r + EXP_4) + (EXP_3 * r + EXP_2)) * r2 + EXP_1 * r) + 1.0;
  return mantissa * bitcast<lane>(bitcast<bits>(shifted) << bits(23u));
}

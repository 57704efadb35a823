// sin(x) and cos(x): off by at most 2^-22.9 for |x| up to 50000, by all float32 numbers there. Always in [-1, 1]; past
// 50000 the angle is lost little by little, never to NaN or infinity. x = n pi + r with pi in three constants (Cody,
// Waite 1980), the first two so short that n times them is exact; a polynomial of degree 9 for |r| <= pi / 2 (minimax,
// then a search among float32 coefficients that never pass 1); the sign by whether n is odd. 23 operations; cos has 25.

// An ulp of numbers in [2^23, 2^24) is 1: adding this rounds to an integer, and leaves it in the low bits.
const ANGLE_ROUND = 12582912.0;
const ANGLE_ONE_OVER_PI = 0.3183098861837907;
const ANGLE_PI_HIGH = 3.140625;
const ANGLE_PI_MIDDLE = 0.0009670257568359375;
const ANGLE_PI_LOW = 6.278329465203569e-7;
// A little more than pi / 2: for large x the rounding of x / pi lets r be that large.
const ANGLE_MOST = 1.575;

const SIN_3 = -0.166666538;
const SIN_5 = 0.00833297987;
const SIN_7 = -0.000198053458;
const SIN_9 = 2.59894387e-6;

fn sin(x: lane) -> lane {
  let shifted = x * ANGLE_ONE_OVER_PI + ANGLE_ROUND;
  return sine_of_rest(x, shifted - ANGLE_ROUND, bitcast<bits>(shifted));
}

// cos(x) is sin(x + pi / 2), and r comes out right when the half is taken off n, not added to x.
fn cos(x: lane) -> lane {
  let shifted = (x * ANGLE_ONE_OVER_PI + 0.5) + ANGLE_ROUND;
  return sine_of_rest(x, (shifted - ANGLE_ROUND) - 0.5, bitcast<bits>(shifted));
}

// sin(x - n pi), with the other sign if `turns` is odd.
fn sine_of_rest(x: lane, n: lane, turns: bits) -> lane {
  let rest = ((x - n * ANGLE_PI_HIGH) - n * ANGLE_PI_MIDDLE) - n * ANGLE_PI_LOW;
  let r = min(max(rest, lane(-ANGLE_MOST)), lane(ANGLE_MOST));
  let square = r * r;
  let curve = ((SIN_9 * square + SIN_7) * square + SIN_5) * square + SIN_3;
  let sine = r + r * square * curve;
  return bitcast<lane>(bitcast<bits>(sine) ^ (turns << bits(31u)));
}

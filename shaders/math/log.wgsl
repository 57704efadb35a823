// log(x): at most 1.14 ulp over the positive normal numbers, by all of them; monotone; log(1) is 0. Below 2^-126 (a
// subnormal number, 0, a negative one) it stays log(2^-126) = -87.3: no number gives NaN or infinity. x = 2^e (1 + f)
// with 1 + f from 2/3 to 4/3, where f is exact, so that the result keeps its last bits near x = 1; a polynomial of
// degree 9 in f (minimax in ulp, then a search among float32 coefficients with the roundings in it). 27 operations.

const LOG_SMALLEST = 1.1754943508222875e-38;
const LOG_LN2 = 0.6931471805599453;
// The bits of 2/3, and how far they are below those of 1.
const LOG_TWO_THIRDS = 0x3f2aaaabu;
const LOG_TO_ONE = 0x555555u;
// Or-ed into 2^23 an integer below 2^23 is added to it; 127 is the bias of an exponent.
const LOG_INTEGER = 0x4b000000u;
const LOG_INTEGER_AND_BIAS = 8388735.0;

const LOG_2 = -0.499999493;
const LOG_3 = 0.333331972;
const LOG_4 = -0.250070095;
const LOG_5 = 0.200107887;
const LOG_6 = -0.164292574;
const LOG_7 = 0.139958665;
const LOG_8 = -0.153244644;
const LOG_9 = 0.140609846;

fn log(x: lane) -> lane {
  // Moved up from 2/3 to 1, the numbers of one e have the same exponent.
  let moved = bitcast<bits>(max(x, lane(LOG_SMALLEST))) + bits(LOG_TO_ONE);
  let e = bitcast<lane>((moved >> bits(23u)) | bits(LOG_INTEGER)) - LOG_INTEGER_AND_BIAS;
  let f = bitcast<lane>((moved & bits(0x7fffffu)) + bits(LOG_TWO_THIRDS)) - 1.0;
  let high = (((LOG_9 * f + LOG_8) * f + LOG_7) * f + LOG_6) * f + LOG_5;
  let curve = ((high * f + LOG_4) * f + LOG_3) * f + LOG_2;
  return e * LOG_LN2 + (f + f * f * curve);
}

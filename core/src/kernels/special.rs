//! Functions of mathematical physics, in double precision; single precision computes in it too.

use super::math::double::exp;
use std::f64::consts::{FRAC_2_SQRT_PI, PI};

/// The inverse of the error function: NaN outside −1 to 1.
///
/// Giles' approximation (2010, "Approximating the erfinv function"), improved by two steps of Halley's method.
pub fn erfinv(y: f64) -> f64 {
    let a = y.abs();
    if a >= 1.0 || a.is_nan() || a == 0.0 {
        return if a == 1.0 {
            f64::INFINITY.copysign(y)
        } else if a == 0.0 {
            y
        } else {
            f64::NAN
        };
    }
    // 1 - a is exact where the tail matters, and `erfc` is accurate there.
    let mut x = giles(a);
    for _ in 0..2 {
        let error = if a > 0.5 { (1.0 - a) - libm::erfc(x) } else { libm::erf(x) - a };
        let step = error / (FRAC_2_SQRT_PI * exp(-x * x));
        x -= step / (1.0 + x * step);
    }
    x.copysign(y)
}

fn giles(x: f64) -> f64 {
    const CENTRE: [f64; 9] = [
        1.501_409_41,
        0.246_640_727,
        -0.004_177_681_64,
        -0.001_253_725_03,
        0.000_218_580_87,
        -4.391_506_54e-6,
        -3.523_387_7e-6,
        3.432_739_39e-7,
        2.810_226_36e-8,
    ];
    const TAIL: [f64; 9] = [
        2.832_976_82,
        1.001_674_06,
        0.009_438_870_47,
        -0.007_622_461_3,
        0.005_739_507_73,
        -0.003_676_163_28,
        0.001_349_343_22,
        0.000_100_950_558,
        -0.000_200_214_257,
    ];
    let w = -((1.0 - x) * (1.0 + x)).ln();
    let (w, table) = if w < 5.0 { (w - 2.5, CENTRE) } else { (w.sqrt() - 3.0, TAIL) };
    x * table.iter().rev().fold(0.0, |sum, c| sum * w + c)
}

/// The gamma function; an infinity with the sign of zero at zero, NaN at negative whole numbers.
pub fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}

/// The logarithm of the absolute value of the gamma function.
pub fn gammaln(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The derivative of [`gammaln`]: reflection for negative numbers, recurrence to 10, then the asymptotic series
/// (Abramowitz and Stegun 6.3.7, 6.3.5 and 6.3.18).
pub fn digamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::NAN;
        }
        return digamma(1.0 - x) - PI / (PI * x).tan();
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    const SERIES: [f64; 7] =
        [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0, 1.0 / 12.0];
    let z = 1.0 / (x * x);
    sum + x.ln() - 0.5 / x - z * SERIES.iter().rev().fold(0.0, |s, c| s * z + c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::LN_2;

    #[test]
    fn the_inverse_error_function_undoes_the_error_function() {
        for i in -40..=40 {
            let x = f64::from(i) * 0.1;
            let y = libm::erf(x);
            // The condition of the problem, not the method, limits the tail.
            let limit = 1e-15 + 2e-16 / (FRAC_2_SQRT_PI * exp(-x * x));
            assert!((erfinv(y) - x).abs() <= limit, "{x}: {}", erfinv(y));
        }
        assert_eq!(erfinv(1.0), f64::INFINITY);
        assert_eq!(erfinv(-1.0), f64::NEG_INFINITY);
        assert!(erfinv(1.5).is_nan() && erfinv(f64::NAN).is_nan());
    }

    #[test]
    fn digamma_has_its_known_values() {
        const EULER: f64 = 0.577_215_664_901_532_9;
        assert!((digamma(1.0) + EULER).abs() < 1e-15);
        assert!((digamma(0.5) + EULER + 2.0 * LN_2).abs() < 1e-14);
        assert!((digamma(-0.5) - 0.036_489_973_978_576_52).abs() < 1e-14);
        assert!(digamma(-3.0).is_nan());
    }
}

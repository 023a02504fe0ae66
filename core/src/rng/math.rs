//! Elementary functions that give the same bits everywhere.
//!
//! Random numbers must not depend on the C library or the instruction set. These functions use nothing but
//! integer operations, IEEE additions, products, quotients and roots, and fused multiply-adds that are written
//! out (`mul_add` is correctly rounded with and without an FMA instruction). They hold for the arguments that
//! the distributions use, which each one states; within a few units in the last place of the true values.
//!
//! Sources of the polynomials: for f64 fdlibm (Sun Microsystems, 1993: `e_log.c`, `e_exp.c`, `k_sin.c`,
//! `k_cos.c`), for f32 Cephes (Moshier, 1989: `logf.c`, `sinf.c`); `ln_gamma` is Stirling's series
//! (Abramowitz and Stegun 6.1.41).

// Coefficients are written as their sources have them.
#![allow(clippy::excessive_precision, clippy::inconsistent_digit_grouping)]

const LN2_HI: f64 = 6.931_471_803_691_238_164_90e-01;
const LN2_LO: f64 = 1.908_214_929_270_587_700_02e-10;

/// A polynomial, highest power first.
#[inline(always)]
fn poly<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut sum = coefficients[0];
    for c in &coefficients[1..] {
        sum = sum.mul_add(x, *c);
    }
    sum
}

#[inline(always)]
fn poly32<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for c in &coefficients[1..] {
        sum = sum.mul_add(x, *c);
    }
    sum
}

/// Natural logarithm of a positive, normal, finite number.
#[inline(always)]
pub(crate) fn ln32(x: f32) -> f32 {
    // x = 2^e · (1 + f) with 1 + f between √½ and √2.
    let e = (x.to_bits().wrapping_sub(0x3f35_04f3) as i32) >> 23;
    let f = f32::from_bits(x.to_bits().wrapping_sub((e << 23) as u32)) - 1.0;
    let z = f * f;
    let p = poly32(
        f,
        [
            7.037_683_629_2e-2,
            -1.151_461_031e-1,
            1.167_699_874e-1,
            -1.242_014_084_6e-1,
            1.424_932_278_7e-1,
            -1.666_805_766_5e-1,
            2.000_071_476_5e-1,
            -2.499_999_399_3e-1,
            3.333_333_117_4e-1,
        ],
    );
    let e = e as f32;
    let tail = e.mul_add(-2.121_944_4e-4, f * z * p);
    let small = z.mul_add(-0.5, tail) + f;
    e.mul_add(0.693_359_375, small)
}

/// Natural logarithm of a positive, normal, finite number.
#[inline(always)]
pub(crate) fn ln64(x: f64) -> f64 {
    let e = (x.to_bits().wrapping_sub(0x3fe6_a09e_667f_3bcd) as i64) >> 52;
    let f = f64::from_bits(x.to_bits().wrapping_sub((e << 52) as u64)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * poly(
        z,
        [
            1.479_819_860_511_658_591e-01,
            1.531_383_769_920_937_332e-01,
            1.818_357_216_161_805_012e-01,
            2.222_219_843_214_978_396e-01,
            2.857_142_874_366_239_149e-01,
            3.999_999_999_940_941_908e-01,
            6.666_666_666_666_735_130e-01,
        ],
    );
    // The exponent fits 32 bits, from which every instruction set converts.
    let k = f64::from(e as i32);
    let half = 0.5 * f * f;
    let low = s.mul_add(half + r, k * LN2_LO);
    k.mul_add(LN2_HI, f - (half - low))
}

/// Exponential function of any number.
#[inline(always)]
pub(crate) fn exp64(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 · 2^52: adding it rounds to an integer
    if x.is_nan() {
        return x;
    }
    let x = x.clamp(-746.0, 710.0);
    let k = x.mul_add(std::f64::consts::LOG2_E, ROUND) - ROUND;
    let hi = k.mul_add(-LN2_HI, x);
    let lo = k * LN2_LO;
    let r = hi - lo;
    let z = r * r;
    let p = poly(
        z,
        [
            4.138_136_797_057_238_460_39e-08,
            -1.653_390_220_546_525_153_90e-06,
            6.613_756_321_437_934_361_17e-05,
            -2.777_777_777_701_559_338_42e-03,
            1.666_666_666_666_660_190_37e-01,
        ],
    );
    let c = z.mul_add(-p, r);
    let y = 1.0 - ((lo - r * c / (2.0 - c)) - hi);
    // 2^k in two factors, because k reaches beyond the exponents of normal numbers.
    let k = k as i64;
    let power = |n: i64| f64::from_bits(((n + 1023) as u64) << 52);
    y * power(k / 2) * power(k - k / 2)
}

/// Sine and cosine of a full turn times `turn / 2^32`.
#[inline(always)]
pub(crate) fn sin_cos32(turn: u32) -> (f32, f32) {
    // The nearest quarter turn, and the rest of at most an eighth on either side.
    let quarter = turn.wrapping_add(1 << 29) >> 30;
    let rest = turn.wrapping_sub(quarter << 30) as i32;
    let x = rest as f32 * (std::f32::consts::TAU / 4_294_967_296.0);
    let z = x * x;
    let s = poly32(z, [-1.951_529_589_1e-4, 8.332_160_873_6e-3, -1.666_665_461_1e-1]);
    let c = poly32(z, [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2]);
    let s = (s * z).mul_add(x, x);
    let c = (c * z).mul_add(z, z.mul_add(-0.5, 1.0));
    let (sin, cos) = if quarter & 1 != 0 { (c, s) } else { (s, c) };
    let sin_sign = (quarter & 2) << 30;
    let cos_sign = (quarter.wrapping_add(1) & 2) << 30;
    (f32::from_bits(sin.to_bits() ^ sin_sign), f32::from_bits(cos.to_bits() ^ cos_sign))
}

/// Sine and cosine of a full turn times `turn / 2^64`.
#[inline(always)]
pub(crate) fn sin_cos64(turn: u64) -> (f64, f64) {
    let quarter = turn.wrapping_add(1 << 61) >> 62;
    let rest = turn.wrapping_sub(quarter << 62) as i64;
    let x = rest as f64 * (std::f64::consts::TAU / 18_446_744_073_709_551_616.0);
    let z = x * x;
    let s = poly(
        z,
        [
            1.589_690_995_211_550_102_21e-10,
            -2.505_076_025_340_686_341_95e-08,
            2.755_731_370_707_006_767_89e-06,
            -1.984_126_982_985_794_931_34e-04,
            8.333_333_333_322_489_461_24e-03,
            -1.666_666_666_666_663_243_48e-01,
        ],
    );
    let c = poly(
        z,
        [
            -1.135_964_755_778_819_482_65e-11,
            2.087_572_321_298_174_827_90e-09,
            -2.755_731_435_139_066_330_35e-07,
            2.480_158_728_947_672_941_78e-05,
            -1.388_888_888_887_410_957_49e-03,
            4.166_666_666_666_660_190_37e-02,
        ],
    );
    let s = (s * z).mul_add(x, x);
    let c = (c * z).mul_add(z, z.mul_add(-0.5, 1.0));
    let (sin, cos) = if quarter & 1 != 0 { (c, s) } else { (s, c) };
    let sin_sign = (quarter & 2) << 62;
    let cos_sign = (quarter.wrapping_add(1) & 2) << 62;
    (f64::from_bits(sin.to_bits() ^ sin_sign), f64::from_bits(cos.to_bits() ^ cos_sign))
}

/// Logarithm of the gamma function of a finite number of at least 1.
#[inline(always)]
pub(crate) fn ln_gamma64(x: f64) -> f64 {
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_741_78;
    // Γ(x) = Γ(y) / (x (x + 1) … (y − 1)) with y of at least 10, where the series is exact enough.
    let (mut y, mut product) = (x, 1.0);
    while y < 10.0 {
        product *= y;
        y += 1.0;
    }
    let z = 1.0 / (y * y);
    let series =
        poly(z, [-691.0 / 360_360.0, 1.0 / 1188.0, -1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0])
            / y;
    let log = (y - 0.5).mul_add(ln64(y), HALF_LN_TAU - y) + series;
    if product == 1.0 { log } else { log - ln64(product) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(got: f64, want: f64, tolerance: f64, of: f64) {
        let error = (got - want).abs() / want.abs().max(1e-300);
        assert!(error <= tolerance || got == want, "of {of:e}: got {got:e}, want {want:e}");
    }

    #[test]
    fn logarithms_are_right_to_the_last_places() {
        for i in 1..200_000u32 {
            let x = f64::from(i) / 100_000.0;
            assert_close(ln64(x), x.ln(), 5e-16, x);
            assert_close(ln64(x * 1e-290), (x * 1e-290).ln(), 5e-16, x);
            assert_close(f64::from(ln32(x as f32)), f64::from(x as f32).ln(), 2e-7, x);
        }
        assert_close(f64::from(ln32(2f32.powi(-33))), -33.0 * std::f64::consts::LN_2, 2e-7, 0.0);
        assert_eq!((ln32(1.0), ln64(1.0)), (0.0, 0.0));
    }

    #[test]
    fn exponentials_are_right_to_the_last_places() {
        for i in -7000..7000 {
            let x = f64::from(i) * 0.1;
            assert_close(exp64(x), x.exp(), 5e-16, x);
        }
        assert_eq!(exp64(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp64(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp64(0.0), 1.0);
        assert!(exp64(f64::NAN).is_nan());
        assert!(exp64(-740.0) > 0.0);
    }

    #[test]
    fn sines_and_cosines_are_right_on_the_whole_turn() {
        for i in 0..100_000u64 {
            let turn = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let angle = turn as f64 / 2f64.powi(64) * std::f64::consts::TAU;
            let (s, c) = sin_cos64(turn);
            // The angle itself is off by up to 1e-15.
            assert!((s - angle.sin()).abs() < 2e-15 && (c - angle.cos()).abs() < 2e-15, "{angle}");
            let angle = f64::from((turn >> 32) as u32) / 2f64.powi(32) * std::f64::consts::TAU;
            let (s, c) = sin_cos32((turn >> 32) as u32);
            assert!((f64::from(s) - angle.sin()).abs() < 1.5e-7, "{angle}");
            assert!((f64::from(c) - angle.cos()).abs() < 1.5e-7, "{angle}");
        }
        assert_eq!(sin_cos32(1 << 30), (1.0, -0.0));
    }

    #[test]
    fn the_gamma_function_is_right_at_integers_and_halves() {
        let mut factorial = 1.0f64;
        for n in 1..100 {
            let x = f64::from(n);
            assert!((ln_gamma64(x) - factorial.ln()).abs() < 2e-14 * factorial.ln().abs().max(1.0), "{n}");
            factorial *= x;
        }
        // Γ(3/2) = √π / 2
        assert_close(ln_gamma64(1.5), (std::f64::consts::PI.sqrt() / 2.0).ln(), 1e-13, 1.5);
        assert_close(ln_gamma64(1e6), 12_815_504.569_147_611, 1e-15, 1e6);
    }
}

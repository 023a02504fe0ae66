//! Philox4x32-10: a block of four 32-bit words as a function of a 128-bit counter and a 64-bit key.
//!
//! Source: Salmon, Moraes, Dror, Shaw, «Parallel random numbers: as easy as 1, 2, 3», SC 2011. The tests use
//! the known answers that its authors publish with Random123.

// Loops over the lanes of fixed arrays: the form that vectorises.
#![allow(clippy::needless_range_loop)]

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;
const ROUNDS: usize = 10;

/// Number of blocks that [`wide`] computes together.
pub(crate) const WIDTH: usize = 16;

/// The words of [`WIDTH`] neighbouring blocks: `words[w][b]` is word `w` of block `b`.
pub(crate) type Words = [[u32; WIDTH]; 4];

/// The block of a counter under a key.
#[inline(always)]
pub fn block(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..ROUNDS {
        let p0 = u64::from(M0) * u64::from(a);
        let p1 = u64::from(M1) * u64::from(c);
        (a, b, c, d) = ((p1 >> 32) as u32 ^ b ^ k0, p1 as u32, (p0 >> 32) as u32 ^ d ^ k1, p0 as u32);
        k0 = k0.wrapping_add(W0);
        k1 = k1.wrapping_add(W1);
    }
    [a, b, c, d]
}

/// The blocks of the counters `first`, `first + 1`, … whose two upper words are zero.
///
/// Words are kept in the lower halves of 64-bit lanes, whose upper halves may hold anything: the form in which
/// vector units multiply 32 by 32 bits. The loop over blocks is the outer one so that it is what vectorises.
#[inline(always)]
pub(crate) fn wide(first: u64, key: [u32; 2]) -> Words {
    let mut words: Words = [[0; WIDTH]; 4];
    let low = |x: u64| x & 0xffff_ffff;
    for j in 0..WIDTH {
        let counter = first.wrapping_add(j as u64);
        let (mut a, mut b, mut c, mut d) = (counter, counter >> 32, 0, 0);
        let [mut k0, mut k1] = key;
        for _ in 0..ROUNDS {
            let p0 = low(a) * u64::from(M0);
            let p1 = low(c) * u64::from(M1);
            (a, b, c, d) = ((p1 >> 32) ^ b ^ u64::from(k0), p1, (p0 >> 32) ^ d ^ u64::from(k1), p0);
            k0 = k0.wrapping_add(W0);
            k1 = k1.wrapping_add(W1);
        }
        words[0][j] = a as u32;
        words[1][j] = b as u32;
        words[2][j] = c as u32;
        words[3][j] = d as u32;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines `philox4x32 10` of Random123's tests/kat_vectors: counter, key, block.
    const KNOWN_ANSWERS: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
        ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];

    #[test]
    fn blocks_are_the_published_ones() {
        for (counter, key, answer) in KNOWN_ANSWERS {
            assert_eq!(block(counter, key), answer);
        }
    }

    #[test]
    fn wide_blocks_are_the_single_ones_also_where_the_low_word_overflows() {
        for first in [0, 12_345, u64::from(u32::MAX) - 3, u64::MAX - 3] {
            let words = wide(first, [7, 9]);
            for j in 0..WIDTH {
                let c = first.wrapping_add(j as u64);
                let single = block([c as u32, (c >> 32) as u32, 0, 0], [7, 9]);
                assert_eq!([words[0][j], words[1][j], words[2][j], words[3][j]], single);
            }
        }
    }
}

//! What several operators share: vector loops, matrix products, convolutions, reductions.
pub mod math;
pub mod simd;

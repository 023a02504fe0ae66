//! Fills slices with samples: in parallel, on the best instruction path, always with the same result.
//!
//! A [`WideSampler`] turns the blocks of a stream into a fixed number of elements each, many blocks together,
//! in loops that the compiler vectorises. An [`ElementSampler`] computes one element from its sub-stream. Both
//! are compiled twice, for the plain target and for AVX2 with FMA; since they use only operations that IEEE
//! 754 defines, in a fixed order, both give the same bits.

use super::generator::{Stream, SubStream};
use super::philox::{self, WIDTH, Words};
#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::{Isa, isa};
use crate::parallel;
use std::ops::Range;

/// Elements that are computed together before `finish` sees them: they stay in the first-level cache.
const TILE: usize = 1024;

/// Most elements that [`WIDTH`] blocks give.
const MOST: usize = 4 * WIDTH;

/// Makes elements from blocks; element `i` comes from block `i / LANES` of the stream.
pub(crate) trait WideSampler<T>: Sync {
    /// Elements per block: 2 or 4.
    const LANES: usize;

    /// The elements of the blocks from `block` on, whose words these are. `out` takes `LANES * WIDTH`.
    fn wide(&self, stream: Stream, block: u64, words: &Words, out: &mut [T]);

    /// Applies parameters to the elements from number `first` on.
    #[inline(always)]
    fn finish(&self, _first: usize, _out: &mut [T]) {}
}

/// Makes an element from its sub-stream.
pub(crate) trait ElementSampler<T>: Sync {
    /// Element number `i`.
    fn element(&self, i: usize, random: &mut SubStream) -> T;
}

/// Something that writes the elements from number `first` on, on any instruction path.
pub(crate) trait Filler<T>: Sync {
    fn run(&self, stream: Stream, first: usize, out: &mut [T]);
}

/// [`Filler`] from a [`WideSampler`].
pub(crate) struct Wide<S>(pub S);

impl<T: Copy + Default, S: WideSampler<T>> Filler<T> for Wide<S> {
    #[inline(always)]
    fn run(&self, stream: Stream, first: usize, out: &mut [T]) {
        let mut at = first;
        for tile in out.chunks_mut(TILE) {
            fill_tile(&self.0, stream, at, tile);
            self.0.finish(at, tile);
            at += tile.len();
        }
    }
}

#[inline(always)]
fn fill_tile<T: Copy + Default, S: WideSampler<T>>(s: &S, stream: Stream, first: usize, out: &mut [T]) {
    let step = S::LANES * WIDTH;
    let mut block = (first / S::LANES) as u64;
    let skip = first % S::LANES;
    let mut buffer = [T::default(); MOST];
    let head = if skip == 0 { 0 } else { (step - skip).min(out.len()) };
    let (head, rest) = out.split_at_mut(head);
    if skip != 0 {
        draw(s, stream, block, &mut buffer[..step]);
        head.copy_from_slice(&buffer[skip..skip + head.len()]);
        block += WIDTH as u64;
    }
    let mut whole = rest.chunks_exact_mut(step);
    for piece in &mut whole {
        draw(s, stream, block, piece);
        block += WIDTH as u64;
    }
    let tail = whole.into_remainder();
    if !tail.is_empty() {
        draw(s, stream, block, &mut buffer[..step]);
        tail.copy_from_slice(&buffer[..tail.len()]);
    }
}

#[inline(always)]
fn draw<T, S: WideSampler<T>>(s: &S, stream: Stream, block: u64, out: &mut [T]) {
    let words = philox::wide(stream.base.wrapping_add(block), stream.key);
    s.wide(stream, block, &words, out);
}

/// [`Filler`] from an [`ElementSampler`].
pub(crate) struct Each<S>(pub S);

impl<T, S: ElementSampler<T>> Filler<T> for Each<S> {
    #[inline(always)]
    fn run(&self, stream: Stream, first: usize, out: &mut [T]) {
        for (i, x) in out.iter_mut().enumerate() {
            let i = first + i;
            *x = self.0.element(i, &mut stream.element(i as u64));
        }
    }
}

/// Runs a filler on the path that this process uses.
pub(crate) fn run_best<T, F: Filler<T>>(f: &F, stream: Stream, first: usize, out: &mut [T]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        unsafe fn avx2<T, F: Filler<T>>(f: &F, stream: Stream, first: usize, out: &mut [T]) {
            f.run(stream, first, out);
        }
        if isa() >= Isa::Avx2 {
            // SAFETY: the processor has the features that the function is compiled for.
            return unsafe { avx2(f, stream, first, out) };
        }
    }
    f.run(stream, first, out);
}

/// Fills `out` in parallel, with pieces of at least `grain` elements.
pub(crate) fn fill<T: Send, F: Filler<T>>(f: &F, stream: Stream, out: &mut [T], grain: usize) {
    for_each_piece(out, grain, |first, piece| run_best(f, stream, first, piece));
}

/// Calls `f` in parallel with pieces that cover `out` and the number of each one's first element. Pieces begin
/// at multiples of [`MOST`].
pub(crate) fn for_each_piece<T: Send>(out: &mut [T], grain: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    struct Base<T>(*mut T);
    // SAFETY: it only carries a pointer to elements that may be sent; the pieces made from it are disjoint.
    unsafe impl<T: Send> Sync for Base<T> {}
    impl<T> Base<T> {
        /// # Safety
        /// The range lies inside the slice, and no other piece overlaps it.
        #[allow(clippy::mut_from_ref)]
        unsafe fn piece(&self, r: &Range<usize>) -> &mut [T] {
            // SAFETY: as the caller promises.
            unsafe { std::slice::from_raw_parts_mut(self.0.add(r.start), r.len()) }
        }
    }
    let len = out.len();
    let base = Base(out.as_mut_ptr());
    parallel::for_each_range(len.div_ceil(MOST), grain.div_ceil(MOST), |units| {
        let r = units.start * MOST..(units.end * MOST).min(len);
        // SAFETY: ranges of units are disjoint and inside the slice, so these are too.
        f(r.start, unsafe { base.piece(&r) });
    });
}

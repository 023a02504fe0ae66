//! Chains of elementwise operators in one pass over memory.
//!
//! A chain goes tile by tile: each operator reads tiles that stay in the first cache and writes another. After each
//! operator the tile is rounded to the dtype of the arrays, so that the results are those of separate operators,
//! to the bit.

use crate::dtype::DType;
use crate::error::Result;
use crate::op::convert::Compute;
use crate::op::kernel::Kernel;
use crate::op::pointwise::{GRAIN, Pointwise, Ptr, Reader, TILE, Tile};
use crate::parallel::for_each_range;
use smallvec::SmallVec;
use std::ops::Range;

/// Elements that the tiles of a chain have together: they fit in the first cache.
const CACHED: usize = 6 * 1024;
/// Elements of a tile at most.
const LARGEST: usize = 2048;

/// Where an operator of a chain takes an operand from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// An input of the chain.
    Input(u32),
    /// The result of an earlier operator of the chain.
    Step(u32),
}

/// One operator of a chain.
#[derive(Clone)]
pub struct Step {
    /// Its arithmetic.
    pub pointwise: Pointwise,
    /// Its operands.
    pub operands: SmallVec<[From; 3]>,
    /// Its name.
    pub name: &'static str,
}

/// A chain of elementwise operators; the last one's result is the output. Inputs and output have one floating-point
/// dtype; inputs broadcast to the output's shape.
#[derive(Clone)]
pub struct Fused {
    steps: Vec<Step>,
}

impl std::fmt::Debug for Fused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.steps.iter().map(|s| (s.name, &s.operands))).finish()
    }
}

impl Fused {
    /// A chain of these operators, each after those whose results it takes.
    pub fn new(steps: Vec<Step>) -> Fused {
        debug_assert!(
            steps
                .iter()
                .enumerate()
                .all(|(n, s)| { s.operands.iter().all(|o| !matches!(o, From::Step(m) if *m as usize >= n)) })
        );
        Fused { steps }
    }

    /// Number of operators.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Names of the operators.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.steps.iter().map(|s| s.name)
    }

    /// The operators.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// True if arrays of this dtype can be fused.
    pub fn supports(dtype: DType) -> bool {
        dtype.is_float()
    }

    /// Runs the chain.
    ///
    /// # Errors
    /// None so far.
    pub(crate) fn run(&self, k: &Kernel) -> Result<()> {
        if k.out_dtype(0) == DType::F64 {
            self.run_in(|p| p.double, k);
        } else {
            self.run_in(|p| p.single, k);
        }
        Ok(())
    }

    fn run_in<C: Compute>(&self, tile: impl Fn(&Pointwise) -> Tile<C> + Sync, k: &Kernel) {
        let out = &k.outputs[0];
        let (n, dtype, target) = (out.shape.len(), out.dtype, Ptr(out.data));
        let direct = C::DIRECT == Some(dtype);
        let readers: SmallVec<[Reader; 4]> = k.inputs.iter().map(|t| Reader::new(t, out.shape)).collect();
        // Where an input is read element by element in its own type, operators read it where it is.
        let whole: SmallVec<[Option<Ptr<C>>; 4]> =
            k.inputs.iter().map(|t| (direct && t.shape == out.shape).then(|| Ptr(t.data.cast()))).collect();
        let count = self.steps.len();
        let size = (CACHED / (count + readers.len())).clamp(TILE, LARGEST);
        for_each_range(n, GRAIN, |range: Range<usize>| {
            let mut loaded = vec![C::ZERO; size * readers.len()];
            let mut made = vec![C::ZERO; size * count];
            let mut rounded = [0u64; LARGEST / 4];
            for start in range.clone().step_by(size) {
                let len = size.min(range.end - start);
                for (i, reader) in readers.iter().enumerate().filter(|(i, _)| whole[*i].is_none()) {
                    reader.read(start, &mut loaded[i * size..][..len]);
                }
                let input = |i: usize| match &whole[i] {
                    Some(p) => p.get().wrapping_add(start).cast_const(),
                    None => loaded[i * size..].as_ptr(),
                };
                for (s, step) in self.steps.iter().enumerate() {
                    let (before, after) = made.split_at_mut(s * size);
                    let operands: SmallVec<[*const C; 3]> = step
                        .operands
                        .iter()
                        .map(|o| match o {
                            From::Input(i) => input(*i as usize),
                            From::Step(m) => before[*m as usize * size..].as_ptr(),
                        })
                        .collect();
                    let last = s + 1 == count;
                    let to = match last && direct {
                        true => target.get().cast::<C>().wrapping_add(start),
                        false => after.as_mut_ptr(),
                    };
                    // SAFETY: every address has `len` elements: tiles have, and the range lies within the arrays.
                    unsafe { tile(&step.pointwise)(&operands, to, len, step.pointwise.scalars) };
                    if !direct {
                        let place = target.get().wrapping_add(start * dtype.size());
                        let to = if last { place } else { rounded.as_mut_ptr().cast() };
                        C::store(dtype, to, &after[..len], false);
                        C::load(dtype, to, &mut after[..len]);
                    }
                }
            }
        });
    }
}

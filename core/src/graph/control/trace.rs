//! What a run of control flow leaves for its backward pass.

use crate::dtype::DType;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::Kernel;
use crate::rng::Stream;
use crate::shape::Shape;

/// Random numbers, steps and branch of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Trace {
    /// The random numbers of the first step.
    pub stream: Stream,
    /// Steps that were taken.
    pub steps: usize,
    /// Random counters from one step to the next.
    pub stride: u64,
    /// A model was being trained.
    pub training: bool,
    /// The branch that was taken.
    pub branch: usize,
}

const LEN: i64 = 7;

impl Trace {
    /// Its dtype as an array.
    pub const DTYPE: DType = DType::I64;

    /// Its shape as an array.
    pub fn shape() -> Shape {
        [LEN].into()
    }

    /// The random numbers of step `i`.
    pub fn stream_of(&self, i: usize) -> Stream {
        let base = self.stream.base.wrapping_add(self.stride.wrapping_mul(i as u64));
        Stream { base, ..self.stream }
    }

    /// Leaves it in output `o`.
    pub fn write(&self, k: &Kernel, o: usize) {
        let [a, b] = self.stream.key.map(i64::from);
        let (base, stride) = (self.stream.base as i64, self.stride as i64);
        let rest = [self.steps as i64, i64::from(self.training), self.branch as i64];
        k.output::<i64>(o).copy_from_slice(&[a, b, base, stride, rest[0], rest[1], rest[2]]);
    }

    /// Finds it in input `i`.
    pub fn read(k: &Kernel, i: usize) -> Trace {
        Trace::from_values(k.input::<i64>(i))
    }

    /// Finds it in an array.
    ///
    /// # Errors
    /// What waiting for the run reports.
    pub fn of(array: &NdArray) -> Result<Trace> {
        Ok(Trace::from_values(&array.to_vec::<i64>()?))
    }

    fn from_values(v: &[i64]) -> Trace {
        Trace {
            stream: Stream { key: [v[0] as u32, v[1] as u32], base: v[2] as u64 },
            stride: v[3] as u64,
            steps: v[4] as usize,
            training: v[5] != 0,
            branch: v[6] as usize,
        }
    }
}

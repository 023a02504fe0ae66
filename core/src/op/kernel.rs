//! What a kernel sees of the arrays it works on.

use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::shape::Shape;
use smallvec::SmallVec;

/// What elements of one size are to a kernel that only moves them.
pub trait Word: Copy + Send + Sync + Default + sealed::Sealed + 'static {}
impl Word for u8 {}
impl Word for u16 {}
impl Word for u32 {}
impl Word for u64 {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
    impl Sealed for u64 {}
}

/// Runs a block with `$W` standing for the [`Word`](crate::op::kernel::Word) of a dtype's size, so that a kernel
/// that only moves elements is compiled four times, not once for each dtype.
#[macro_export]
macro_rules! with_word {
    ($dtype:expr, $W:ident => $body:expr) => {
        match $dtype.size() {
            1 => {
                type $W = u8;
                $body
            }
            2 => {
                type $W = u16;
                $body
            }
            4 => {
                type $W = u32;
                $body
            }
            _ => {
                type $W = u64;
                $body
            }
        }
    };
}

/// One array inside a running operation.
pub(crate) struct Tensor<'a> {
    pub(crate) data: *mut u8,
    pub(crate) shape: &'a Shape,
    pub(crate) dtype: DType,
}

/// The arrays and circumstances of one running call.
pub struct Kernel<'a> {
    pub(crate) inputs: SmallVec<[Tensor<'a>; 4]>,
    pub(crate) outputs: SmallVec<[Tensor<'a>; 2]>,
    /// Set only for operators that say they honour it: the first output is to be added to, not written.
    pub accumulate: bool,
    /// True while a model is trained: dropout drops, batch normalisation takes the batch's statistics.
    pub training: bool,
    /// The random numbers reserved for the call.
    pub random: crate::rng::Stream,
    pub(crate) pending: Option<&'a NdArray>,
}

impl Kernel<'_> {
    /// Number of inputs.
    pub fn num_inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Number of outputs.
    pub fn num_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Shape of an input.
    pub fn shape(&self, i: usize) -> &Shape {
        self.inputs[i].shape
    }

    /// Dtype of an input.
    pub fn dtype(&self, i: usize) -> DType {
        self.inputs[i].dtype
    }

    /// Shape of an output.
    pub fn out_shape(&self, i: usize) -> &Shape {
        self.outputs[i].shape
    }

    /// Dtype of an output.
    pub fn out_dtype(&self, i: usize) -> DType {
        self.outputs[i].dtype
    }

    /// Elements of an input.
    pub fn input<T: Element>(&self, i: usize) -> &[T] {
        let t = &self.inputs[i];
        assert_eq!(t.dtype, T::DTYPE, "input {i}");
        // SAFETY: the engine granted reading, the array holds this many elements of this type, and `invoke`
        // gives outputs that overlap inputs only to operators that declare it safe, which use pointers.
        unsafe { std::slice::from_raw_parts(t.data.cast(), t.shape.len()) }
    }

    /// Elements of an output, for writing.
    #[allow(clippy::mut_from_ref)]
    pub fn output<T: Element>(&self, i: usize) -> &mut [T] {
        let t = &self.outputs[i];
        assert_eq!(t.dtype, T::DTYPE, "output {i}");
        // SAFETY: the engine granted writing to this call alone; each output is its own memory, and kernels
        // take each output once.
        unsafe { std::slice::from_raw_parts_mut(t.data.cast(), t.shape.len()) }
    }

    /// Elements of an input that the schema marks as mutated, for writing.
    #[allow(clippy::mut_from_ref)]
    pub fn state<T: Element>(&self, i: usize) -> &mut [T] {
        let t = &self.inputs[i];
        assert_eq!(t.dtype, T::DTYPE, "state {i}");
        // SAFETY: as for outputs; mutated inputs are pushed as writes.
        unsafe { std::slice::from_raw_parts_mut(t.data.cast(), t.shape.len()) }
    }

    /// First element of an input, for kernels that may work in place.
    pub fn input_ptr(&self, i: usize) -> *const u8 {
        self.inputs[i].data
    }

    /// First element of an output, for kernels that may work in place.
    pub fn output_ptr(&self, i: usize) -> *mut u8 {
        self.outputs[i].data
    }

    /// True if an output is to be written over an input.
    pub fn is_in_place(&self, input: usize, output: usize) -> bool {
        std::ptr::eq(self.inputs[input].data, self.outputs[output].data)
    }

    /// Elements of an input as mere words of their size, for kernels that only move them: see
    /// [`with_word!`](crate::with_word).
    pub fn input_words<W: Word>(&self, i: usize) -> &[W] {
        let t = &self.inputs[i];
        assert_eq!(t.dtype.size(), size_of::<W>(), "input {i}");
        // SAFETY: as for `input`; every bit pattern is a word, and elements are aligned to their size.
        unsafe { std::slice::from_raw_parts(t.data.cast(), t.shape.len()) }
    }

    /// Elements of an output as words of their size, for writing.
    #[allow(clippy::mut_from_ref)]
    pub fn output_words<W: Word>(&self, i: usize) -> &mut [W] {
        let t = &self.outputs[i];
        assert_eq!(t.dtype.size(), size_of::<W>(), "output {i}");
        // SAFETY: as for `output` and `input_words`.
        unsafe { std::slice::from_raw_parts_mut(t.data.cast(), t.shape.len()) }
    }

    /// Copies an input to an output of the same dtype and number of elements; they may be the same memory.
    pub fn copy(&self, input: usize, output: usize) {
        let (from, to) = (&self.inputs[input], &self.outputs[output]);
        let bytes = to.shape.len() * to.dtype.size();
        assert_eq!(bytes, from.shape.len() * from.dtype.size());
        // SAFETY: both have this many bytes, and `copy` allows them to overlap.
        unsafe { std::ptr::copy(from.data, to.data, bytes) }
    }

    /// Elements of an input as doubles, whatever their dtype. For small inputs such as indices and lengths.
    pub fn input_f64(&self, i: usize) -> Vec<f64> {
        crate::with_dtype!(self.dtype(i), T => self.input::<T>(i).iter().map(|v| v.to_f64()).collect())
    }

    /// Elements of an input as integers, truncated toward zero. For small inputs such as indices.
    pub fn input_i64(&self, i: usize) -> Vec<i64> {
        crate::with_dtype!(self.dtype(i), T => self.input::<T>(i).iter().map(|v| v.to_i64()).collect())
    }

    /// For an operator whose first output's shape depends on the data: says the shape and gives the elements.
    ///
    /// # Errors
    /// `OutOfMemory`.
    #[allow(clippy::mut_from_ref)]
    pub fn dynamic_output<T: Element>(&self, shape: Shape) -> Result<&mut [T]> {
        let array = self.pending.expect("only operators with a dynamic shape ask");
        let len = shape.checked_len()?;
        array.set_shape(shape);
        // SAFETY: the array was made for this call, which alone knows it until it ends.
        Ok(unsafe { std::slice::from_raw_parts_mut(array.data()?.cast(), len) })
    }
}

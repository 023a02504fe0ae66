//! What an operator is: the trait that its file implements.

use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::attrs::{AttrValue, Attrs};
use crate::op::builder::{Builder, RunAgain, Src, Val};
use crate::op::infer::{DTypeInfer, ShapeInfer};
use crate::op::kernel::Kernel;
use crate::op::pointwise::Pointwise;
use crate::op::registry::OpDef;
use crate::op::sample::Sample;
use crate::shape::Shape;
use smallvec::SmallVec;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A set of dtypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DTypes(u32);

impl DTypes {
    /// The floating-point types.
    pub const FLOAT: DTypes = DTypes::of(&[DType::F64, DType::F32, DType::F16, DType::BF16]);
    /// Floating-point and integer types.
    pub const NUMERIC: DTypes =
        DTypes(Self::FLOAT.0 | DTypes::of(&[DType::I64, DType::I32, DType::I8, DType::U8]).0);
    /// Every dtype.
    pub const ALL: DTypes = DTypes(Self::NUMERIC.0 | DTypes::of(&[DType::Bool]).0);

    /// The set of these dtypes.
    pub const fn of(list: &[DType]) -> DTypes {
        let (mut bits, mut i) = (0, 0);
        while i < list.len() {
            bits |= 1 << list[i] as u32;
            i += 1;
        }
        DTypes(bits)
    }

    /// True if `dtype` is in the set.
    pub const fn contains(self, dtype: DType) -> bool {
        self.0 & (1 << dtype as u32) != 0
    }

    /// The set with one more.
    #[must_use]
    pub const fn with(self, dtype: DType) -> DTypes {
        DTypes(self.0 | 1 << dtype as u32)
    }

    /// The members, floating-point ones first.
    pub fn iter(self) -> impl Iterator<Item = DType> {
        DType::ALL.into_iter().filter(move |d| self.contains(*d))
    }
}

/// An input in the schema.
#[derive(Clone, Debug)]
pub struct Input {
    /// MXNet's name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// May be absent, depending on the attributes.
    pub optional: bool,
    /// Stands for any number of inputs; only the last one may.
    pub variadic: bool,
    /// The operator changes it: a state, such as an optimizer's momentum.
    pub mutated: bool,
    /// Only its shape, dtype and device are read, never its elements.
    pub shape_only: bool,
    /// Of a variadic input: the attribute that says how many there are, where MXNet's files have one.
    pub count: Option<&'static str>,
    /// Of a variadic input: MXNet's names in symbols, to which a number is added, for each of a group.
    pub group: &'static [&'static str],
    /// MXNet's text for the initializer of a variable that composing makes for this input.
    pub init: Option<&'static str>,
}

impl Input {
    /// An input that must be there and is only read.
    pub const fn new(name: &'static str, doc: &'static str) -> Input {
        Input {
            name,
            doc,
            optional: false,
            variadic: false,
            mutated: false,
            shape_only: false,
            count: None,
            group: &["arg"],
            init: None,
        }
    }
    /// The same, but it may be absent.
    #[must_use]
    pub const fn optional(mut self) -> Input {
        self.optional = true;
        self
    }
    /// The same, standing for any number of inputs.
    #[must_use]
    pub const fn variadic(mut self) -> Input {
        self.variadic = true;
        self
    }
    /// The same, changed by the operator.
    #[must_use]
    pub const fn mutated(mut self) -> Input {
        self.mutated = true;
        self
    }
    /// The same, of which the elements are not read.
    #[must_use]
    pub const fn shape_only(mut self) -> Input {
        self.shape_only = true;
        self
    }
    /// The same, standing for as many inputs as an attribute says, called `group` and a number in symbols.
    #[must_use]
    pub const fn counted(mut self, attr: &'static str, group: &'static [&'static str]) -> Input {
        self.variadic = true;
        self.count = Some(attr);
        self.group = group;
        self
    }
    /// The same with an initializer.
    #[must_use]
    pub const fn init(mut self, text: &'static str) -> Input {
        self.init = Some(text);
        self
    }
}

/// What is the same for every use of an operator.
#[derive(Clone, Debug)]
pub struct Meta {
    /// MXNet's name.
    pub name: &'static str,
    /// Other names of MXNet's for it.
    pub aliases: &'static [&'static str],
    /// The inputs in order.
    pub inputs: Vec<Input>,
    /// Names of the outputs in order; one output may stand for any number.
    pub outputs: &'static [&'static str],
    /// Dtypes that inputs which follow the common dtype may have.
    pub dtypes: DTypes,
    /// A primitive for gradients of other operators, without a binding.
    pub internal: bool,
    /// Documentation, when it is not that of the attributes' struct.
    pub doc: Option<&'static str>,
    /// Raised when calls written for the former operator would fail or mean something else.
    pub breaking: u32,
    /// Raised when documentation, aliases or optional attributes are added.
    pub revision: u32,
}

impl Meta {
    /// An operator with this name, inputs and one output for floating-point arrays.
    pub fn new(name: &'static str, inputs: impl Into<Vec<Input>>) -> Meta {
        Meta {
            name,
            aliases: &[],
            inputs: inputs.into(),
            outputs: &["output"],
            dtypes: DTypes::FLOAT,
            internal: false,
            doc: None,
            breaking: 1,
            revision: 0,
        }
    }
    /// The same with other names.
    #[must_use]
    pub fn aliases(mut self, aliases: &'static [&'static str]) -> Meta {
        self.aliases = aliases;
        self
    }
    /// The same with these outputs.
    #[must_use]
    pub fn outputs(mut self, outputs: &'static [&'static str]) -> Meta {
        self.outputs = outputs;
        self
    }
    /// The same for these dtypes.
    #[must_use]
    pub fn dtypes(mut self, dtypes: DTypes) -> Meta {
        self.dtypes = dtypes;
        self
    }
    /// The same without a binding.
    #[must_use]
    pub fn internal(mut self) -> Meta {
        self.internal = true;
        self
    }
    /// The same with this documentation.
    #[must_use]
    pub fn doc(mut self, doc: &'static str) -> Meta {
        self.doc = Some(doc);
        self
    }
}

/// An operator with its attributes.
///
/// The methods without `self` describe the operator; those with `self` depend on the attributes. An operator
/// needs `infer_shape` and one of `forward`, `pointwise` and `compose`.
pub trait Operator: Any + Send + Sync + fmt::Debug {
    /// Name, inputs, outputs, dtypes.
    fn meta() -> Meta
    where
        Self: Sized;

    /// Calls that show and test the operator. Their expected results come from an oracle.
    fn samples() -> Vec<Sample>
    where
        Self: Sized;

    /// Number of inputs with these attributes, or `None` for all that the schema names. A variadic operator
    /// says how many it was called with.
    fn num_inputs(&self) -> Option<usize> {
        None
    }

    /// Number of outputs with these attributes.
    fn num_outputs(&self) -> usize {
        1
    }

    /// Number of outputs that the caller sees, the first ones.
    fn num_visible_outputs(&self) -> usize {
        self.num_outputs()
    }

    /// Number of outputs that MXNet's files count, where it has more or fewer hidden ones.
    fn num_listed_outputs(&self) -> usize {
        self.num_outputs()
    }

    /// MXNet's name of an output in symbols, where it does not follow from the schema's.
    fn output_name(&self, _i: usize) -> Option<String> {
        None
    }

    /// Relates the shapes of inputs and outputs, in both directions.
    ///
    /// # Errors
    /// `Shape` if they do not go together.
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()>;

    /// Relates the dtypes of inputs and outputs, in both directions: all the same, if not overridden.
    ///
    /// # Errors
    /// `DType` if they do not go together.
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.all_same()
    }

    /// Checks what attributes and inferred shapes alone do not, before anything runs.
    ///
    /// # Errors
    /// `InvalidValue` for attributes that contradict each other.
    fn check(&self, _s: &ShapeInfer) -> Result<()> {
        Ok(())
    }

    /// Computes the outputs.
    ///
    /// # Errors
    /// Failures that only the data show; they travel to whoever waits for the outputs.
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let _ = k;
        Err(crate::error::Error::internal("the operator has no kernel"))
    }

    /// The arithmetic of an elementwise operator, which then needs no `forward`.
    fn pointwise(&self) -> Option<Pointwise> {
        None
    }

    /// True for elementwise arithmetic whose output has the shape and dtype of its inputs whenever those are all
    /// alike, and which then needs no checks: such calls take a short way.
    fn uniform(&self) -> bool {
        false
    }

    /// The operator written with other operators: its outputs. It then needs neither kernel nor gradient.
    fn compose<'b>(&self, _b: &'b Builder) -> Option<Result<Vec<Val<'b>>>> {
        None
    }

    /// True if `compose` gives a body.
    fn is_composite(&self) -> bool {
        false
    }

    /// The input gradients in terms of inputs, outputs and output gradients: [`Builder::set_grad`].
    ///
    /// # Errors
    /// `Autograd` for an operator that is not differentiable, which is the default.
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Err(crate::err!(Autograd, "the operator is not differentiable"))
    }

    /// True if `unroll` computes the outputs again in other operators, because the gradient's own gradient is not
    /// known.
    fn unrolls(&self) -> bool {
        false
    }

    /// Computes the outputs once more by calling other operators. `read` gives what the gradient reads.
    ///
    /// # Errors
    /// Those of `read` and `call`.
    fn unroll(&self, _read: &dyn Fn(Src) -> Result<NdArray>, _call: &mut RunAgain) -> Result<Vec<NdArray>> {
        Err(crate::error::Error::internal("the operator does not unroll"))
    }

    /// Pairs (input, output) where the output may be written over the input while it is read.
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[]
    }

    /// Whether `output` may be written over `input` while it is read; for operators with so many outputs that
    /// [`Operator::in_place`] cannot list the pairs.
    fn overwrites(&self, input: usize, output: usize) -> bool {
        self.in_place().contains(&(input, output))
    }

    /// Whether input `i` is changed, for operators some of whose variadic inputs are; the schema says it for
    /// all others.
    fn mutates(&self, _i: usize) -> Option<bool> {
        None
    }

    /// Whether MXNet lists a variable at input `i` as an auxiliary state: if the operator changes it, where not
    /// overridden.
    fn lists_as_state(&self, _i: usize) -> Option<bool> {
        None
    }

    /// True if the kernel itself honours [`Kernel::accumulate`] for its first output.
    fn accumulates(&self) -> bool {
        false
    }

    /// For an output that is an input seen in another shape: that input. Nothing is computed then.
    fn view_of(&self, _s: &ShapeInfer) -> Option<usize> {
        None
    }

    /// For an output that only the gradient reads: its shape where nobody does, in a compiled graph. The kernel sees
    /// by the shape which of the two it has.
    fn unread_output(&self, _s: &ShapeInfer, _o: usize) -> Option<Shape> {
        None
    }

    /// Random draws that a call takes from its device's generator, in elements.
    fn draws(&self, _s: &ShapeInfer, _training: bool) -> u64 {
        0
    }

    /// The device that the attributes name, for operators without inputs.
    fn device(&self) -> Option<Device> {
        None
    }

    /// True if the shape of the first output is known only after running.
    fn dynamic_shape(&self) -> bool {
        false
    }

    /// True if running it once more gives the same results and changes nothing, though the schema has mutated
    /// inputs: they are changed by its gradient, as the moving statistics of a batch normalisation.
    fn repeatable(&self) -> bool {
        false
    }

    /// For an output that is the input with its axes in another order: for each axis of the output the axis of
    /// the input.
    fn permutes(&self, _ndim: usize) -> Option<SmallVec<[usize; 8]>> {
        None
    }

    /// For prediction: this call and `before`, which makes its first input, in other operators that compute the
    /// same, but for rounding, with less work. The inputs are the `count` ones of `before` and then its own but
    /// for the first.
    fn absorb<'b>(&self, _before: &OpRef, _count: usize, _b: &'b Builder) -> Option<Val<'b>> {
        None
    }

    /// The operator that does what `before`, which makes the only input, and this one do, to the bit. It has the
    /// inputs of `before`.
    fn joined(&self, _before: &OpRef) -> Option<OpRef> {
        None
    }

    /// For prediction in single precision: the operator that computes the same, but for rounding, from the same inputs
    /// of these shapes in less time.
    fn for_prediction(&self, _s: &ShapeInfer) -> Option<OpRef> {
        None
    }

    /// Floating-point operations of a call; an operation for each element of the outputs, if not overridden.
    fn flops(&self, s: &ShapeInfer) -> u64 {
        (0..s.num_outputs())
            .filter_map(|o| s.output(o))
            .filter(|o| o.is_known())
            .map(|o| o.len() as u64)
            .sum()
    }

    /// Bytes that a call takes for itself while it runs, for elements of `size` bytes.
    fn workspace(&self, _s: &ShapeInfer, _size: usize) -> usize {
        0
    }

    /// Rough number of elements' worth of work, to decide whether to run at once.
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.total_len()
    }
}

/// What [`Operator`] and [`Attrs`] give together, without the type.
pub trait DynOperator: Operator {
    /// All attributes, in the order of the schema.
    fn values(&self) -> Vec<AttrValue>;
    /// The operator as `Any`.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Operator + Attrs> DynOperator for T {
    fn values(&self) -> Vec<AttrValue> {
        self.to_values()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A registered operator together with its attributes: what is called, recorded and put into graphs.
#[derive(Clone)]
pub struct OpRef {
    /// The registered operator.
    pub def: &'static OpDef,
    /// The operator with its attributes.
    pub op: Arc<dyn DynOperator>,
}

impl OpRef {
    /// Number of inputs that a call must have; `None` for any number.
    pub fn arity(&self) -> Option<usize> {
        match self.op.num_inputs() {
            Some(n) => Some(n),
            None if self.def.meta.inputs.last().is_some_and(|i| i.variadic) => None,
            None => Some(self.def.meta.inputs.len()),
        }
    }

    /// The schema of input `i`.
    pub fn input(&self, i: usize) -> &'static Input {
        let inputs = &self.def.meta.inputs;
        &inputs[i.min(inputs.len() - 1)]
    }

    /// Name of input `i`, for errors.
    pub fn input_name(&self, i: usize) -> String {
        let input = self.input(i);
        if input.variadic {
            format!("{}[{}]", input.name, i + 1 - self.def.meta.inputs.len())
        } else {
            input.name.to_owned()
        }
    }

    /// MXNet's name of input `i` in symbols, of which variables that composing makes are named.
    pub fn symbol_input_name(&self, i: usize) -> String {
        let input = self.input(i);
        if !input.variadic {
            return input.name.to_owned();
        }
        let i = i + 1 - self.def.meta.inputs.len();
        format!("{}{}", input.group[i % input.group.len()], i / input.group.len())
    }

    /// True if the operator changes input `i`.
    pub fn mutates(&self, i: usize) -> bool {
        self.op.mutates(i).unwrap_or_else(|| self.input(i).mutated)
    }

    /// True if a variable at input `i` is an auxiliary state in MXNet's lists.
    pub fn lists_as_state(&self, i: usize) -> bool {
        self.op.lists_as_state(i).unwrap_or_else(|| self.mutates(i))
    }
}

impl fmt::Debug for OpRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.op)
    }
}

//! What every rule is given and gives.

use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::invoke::{Call, Outputs, Req, invoke};
use crate::op::{Attrs, Operator, registry};
use crate::{DType, Shape};

/// The attributes that all optimizers have.
#[derive(Clone, Debug)]
pub struct Common {
    /// The learning rate, if it is given or the optimizer has a default of its own.
    pub learning_rate: Option<f64>,
    /// The weight decay.
    pub wd: f64,
    /// The factor of all gradients.
    pub rescale_grad: f64,
    /// The bound of the gradients' elements.
    pub clip_gradient: Option<f64>,
    /// Keep copies of half-precision weights in `float32`.
    pub multi_precision: bool,
    /// Number of updates that count as done before the first.
    pub begin_num_update: i64,
}

/// One update: arrays and numbers.
pub struct Step<'a> {
    /// The weight, which changes.
    pub weight: &'a NdArray,
    /// The gradient.
    pub grad: &'a NdArray,
    /// The states, which change.
    pub states: &'a [NdArray],
    /// The weight in `float32`, for rules that handle it themselves.
    pub master: Option<&'a NdArray>,
    /// The learning rate of this parameter now.
    pub lr: f64,
    /// The weight decay of this parameter.
    pub wd: f64,
    /// The number of this update of this parameter, from 1.
    pub t: i64,
    /// The factor of the gradient.
    pub rescale_grad: f64,
    /// The bound of the gradient as operators have it, −1 for none.
    pub clip_gradient: f64,
}

impl Step<'_> {
    /// Runs an operator on weight, gradient, states and, if there is one, the copy in `float32`; its output
    /// becomes the weight.
    ///
    /// # Errors
    /// Those of [`invoke`].
    pub fn run<T: Operator + Attrs>(&self, op: T) -> Result<()> {
        self.run_with(op, &[])
    }

    /// As [`Step::run`], with more inputs at the end.
    ///
    /// # Errors
    /// Those of [`invoke`].
    pub fn run_with<T: Operator + Attrs>(&self, op: T, more: &[NdArray]) -> Result<()> {
        let mut inputs = vec![self.weight.clone(), self.grad.clone()];
        inputs.extend(self.states.iter().chain(self.master).chain(more).cloned());
        let out = [Some((self.weight.clone(), Req::Write))];
        invoke(&registry().op(op), &inputs, &out, &Call::default()).map(drop)
    }

    /// Runs an operator on these inputs and returns its outputs.
    ///
    /// # Errors
    /// Those of [`invoke`].
    pub fn call<T: Operator + Attrs>(&self, op: T, inputs: &[NdArray]) -> Result<Outputs> {
        invoke(&registry().op(op), inputs, &[], &Call { device: self.weight.device(), ..Call::default() })
    }

    /// An array of one number in `float32` on the weight's device.
    ///
    /// # Errors
    /// As [`NdArray::full`].
    pub fn number(&self, value: f64) -> Result<NdArray> {
        NdArray::full(Shape::new(&[1]), value, DType::F32, self.weight.device())
    }
}

/// The arithmetic of an optimizer with its attributes.
pub trait Rule: Send {
    /// What all optimizers have.
    fn common(&self) -> Common;

    /// Number of states of a parameter. They have the weight's shape and dtype and begin as zeros.
    fn num_states(&self) -> usize;

    /// Changes weight and states by the gradient.
    ///
    /// # Errors
    /// Those of the operators it runs.
    fn step(&mut self, s: &Step) -> Result<()>;

    /// True if [`Rule::step`] itself handles a weight with a copy in `float32`. Otherwise it is given the
    /// copy as the weight, and the gradient in `float32`.
    fn handles_master(&self) -> bool {
        false
    }

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// `InvalidValue`, about the attribute.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Numbers besides the states that change with updates, to be saved with them.
    fn numbers(&self) -> Vec<f64> {
        vec![]
    }

    /// Takes what [`Rule::numbers`] gave.
    fn set_numbers(&mut self, _numbers: &[f64]) {}
}

/// The id of the learning rate, the same in every optimizer. Ids below 10 are of attributes that all have.
pub(super) const LEARNING_RATE: u32 = 1;

/// The id of the factor of gradients, the same in every optimizer.
pub const RESCALE_GRAD: u32 = 3;

/// Makes an optimizer's struct: its own attributes around the learning rate, then those that all have. `lr`
/// is the default of the learning rate: `None` leaves it to the schedule, or to 0.01 without one.
macro_rules! optimizer {
    ($(#[doc = $doc:literal])* $name:ident { $($before:tt)* } lr $lr:tt $(($some:literal))? { $($after:tt)* }) => {
        $(#[doc = $doc])*
        #[derive(crate::op::Attrs, Clone, Debug)]
        pub struct $name {
            $($before)*
            /// The learning rate; that of the schedule, or 0.01 without one, if absent.
            #[attr(id = 1, default = $lr $(($some))?)]
            pub learning_rate: Option<f64>,
            $($after)*
            /// The weight decay.
            #[attr(id = 2, default = 0.0)]
            pub wd: f64,
            /// Gradients are multiplied by this first, often by one over the batch size.
            #[attr(id = 3, default = 1.0)]
            pub rescale_grad: f64,
            /// Gradients are brought into [-clip_gradient, clip_gradient]; not if this is absent or 0.
            #[attr(id = 4)]
            pub clip_gradient: Option<f64>,
            /// Keep a copy of half-precision weights and their states in `float32`.
            #[attr(id = 5, default = false)]
            pub multi_precision: bool,
            /// Number of updates that count as done before the first, for schedules.
            #[attr(id = 6, default = 0, min = 0)]
            pub begin_num_update: i64,
        }
    };
}

/// The method of [`Rule`] that every optimizer has in the same form.
macro_rules! common {
    () => {
        fn common(&self) -> Common {
            Common {
                learning_rate: self.learning_rate,
                wd: self.wd,
                rescale_grad: self.rescale_grad,
                clip_gradient: self.clip_gradient,
                multi_precision: self.multi_precision,
                begin_num_update: self.begin_num_update,
            }
        }
    };
}

pub(super) use {common, optimizer};

//! Optimizers that scale each weight's step by its past gradients.

use super::common::{Common, Rule, Step, common, optimizer};
use super::momentum::plain;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::invoke::Req;
use crate::ops::optim::{
    AdadeltaUpdate, AdagradUpdate, AdamUpdate, AdamaxUpdate, AdamwUpdate, FtmlUpdate, FtrlUpdate,
    LambUpdatePhase1, LambUpdatePhase2, MpAdamwUpdate, MpLambUpdatePhase1, MpLambUpdatePhase2, MultiSumSq,
    NadamUpdate, RmspropUpdate, RmspropalexUpdate,
};

/// `beta` to the power of the number of updates.
fn power(beta: f64, t: i64) -> f64 {
    beta.powi(i32::try_from(t).unwrap_or(i32::MAX))
}

optimizer! {
    /// Adam (Kingma and Ba, 2014).
    Adam {} lr Some(0.001) {
        /// How much of the mean of the gradients stays.
        #[attr(id = 10, default = 0.9)]
        pub beta1: f64,
        /// How much of the mean of their squares stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
        /// For row-sparse gradients: leave rows without gradient alone.
        #[attr(id = 13, default = true)]
        pub lazy_update: bool,
    }
}

impl Rule for Adam {
    common!();
    fn num_states(&self) -> usize {
        2
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let (beta1, beta2) = (self.beta1, self.beta2);
        let lr = s.lr * (1.0 - power(beta2, s.t)).sqrt() / (1.0 - power(beta1, s.t));
        s.run(AdamUpdate {
            lr,
            beta1,
            beta2,
            epsilon: self.epsilon,
            wd: s.wd,
            rescale_grad: s.rescale_grad,
            clip_gradient: s.clip_gradient,
            lazy_update: self.lazy_update,
        })
    }
}

optimizer! {
    /// AdamW (Loshchilov and Hutter, 2017): the weight decays by `learning_rate * wd`, besides Adam's step.
    AdamW {} lr Some(0.001) {
        /// How much of the mean of the gradients stays.
        #[attr(id = 10, default = 0.9)]
        pub beta1: f64,
        /// How much of the mean of their squares stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
        /// Correct the bias of the means towards zero.
        #[attr(id = 14, default = true)]
        pub correct_bias: bool,
    }
}

impl Rule for AdamW {
    common!();
    fn num_states(&self) -> usize {
        2
    }
    fn handles_master(&self) -> bool {
        true
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let correction = (1.0 - power(self.beta2, s.t)).sqrt() / (1.0 - power(self.beta1, s.t));
        let lr = if self.correct_bias { correction } else { 1.0 };
        let (beta1, beta2, epsilon, wd, eta) = (self.beta1, self.beta2, self.epsilon, s.wd, s.lr);
        let (clip_gradient, scale) = (s.clip_gradient, s.number(s.rescale_grad)?);
        if s.master.is_some() {
            s.run_with(MpAdamwUpdate { lr, beta1, beta2, epsilon, wd, eta, clip_gradient }, &[scale])
        } else {
            s.run_with(AdamwUpdate { lr, beta1, beta2, epsilon, wd, eta, clip_gradient }, &[scale])
        }
    }
}

optimizer! {
    /// Adamax (Kingma and Ba, 2014): Adam by the largest gradient.
    Adamax {} lr Some(0.002) {
        /// How much of the mean of the gradients stays.
        #[attr(id = 10, default = 0.9)]
        pub beta1: f64,
        /// How much of the largest gradient stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
    }
}

impl Rule for Adamax {
    common!();
    fn num_states(&self) -> usize {
        2
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let s = Step { lr: s.lr / (1.0 - power(self.beta1, s.t)), ..*s };
        s.run(plain!(AdamaxUpdate, s, beta1: self.beta1, beta2: self.beta2))
    }
}

optimizer! {
    /// Nadam (Dozat, 2015): Adam with Nesterov's momentum.
    Nadam {} lr Some(0.001) {
        /// How much of the mean of the gradients stays.
        #[attr(id = 10, default = 0.9)]
        pub beta1: f64,
        /// How much of the mean of their squares stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
        /// How fast the momentum approaches `beta1`.
        #[attr(id = 13, default = 0.004)]
        pub schedule_decay: f64,
        /// The product of all momenta so far. As in MXNet, all parameters share one, which each of their
        /// updates advances.
        #[attr(id = 14, default = 1.0)]
        pub m_schedule: f64,
    }
}

impl Rule for Nadam {
    common!();
    fn num_states(&self) -> usize {
        2
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let momentum = |t: i64| self.beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * self.schedule_decay));
        let (now, next) = (momentum(s.t), momentum(s.t + 1));
        self.m_schedule *= now;
        let m_next = self.m_schedule * next;
        s.run(plain!(NadamUpdate, s,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            grad_factor: (1.0 - now) / (1.0 - self.m_schedule),
            mean_factor: next / (1.0 - m_next),
            var_divisor: 1.0 - power(self.beta2, s.t)))
    }
    fn numbers(&self) -> Vec<f64> {
        vec![self.m_schedule]
    }
    fn set_numbers(&mut self, numbers: &[f64]) {
        self.m_schedule = numbers.first().copied().unwrap_or(1.0);
    }
}

optimizer! {
    /// RMSProp (Tieleman and Hinton, 2012), or with `centered` as Graves (2013) has it.
    RmsProp {} lr Some(0.001) {
        /// How much of the mean of the squared gradients stays.
        #[attr(id = 10, default = 0.9)]
        pub gamma1: f64,
        /// How much of the momentum stays; with `centered` only.
        #[attr(id = 11, default = 0.9)]
        pub gamma2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
        /// Divide by the deviation from the mean gradient.
        #[attr(id = 13, default = false)]
        pub centered: bool,
        /// Weights are brought into [-clip_weights, clip_weights]; not if this is absent or 0.
        #[attr(id = 14)]
        pub clip_weights: Option<f64>,
    }
}

impl Rule for RmsProp {
    common!();
    fn num_states(&self) -> usize {
        if self.centered { 3 } else { 1 }
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let clip_weights = self.clip_weights.filter(|c| *c != 0.0).unwrap_or(-1.0);
        let (gamma1, gamma2, epsilon) = (self.gamma1, self.gamma2, self.epsilon);
        if self.centered {
            s.run(plain!(RmspropalexUpdate, s, gamma1: gamma1, gamma2: gamma2, epsilon: epsilon,
                clip_weights: clip_weights))
        } else {
            s.run(plain!(RmspropUpdate, s, gamma1: gamma1, epsilon: epsilon, clip_weights: clip_weights))
        }
    }
}

optimizer! {
    /// AdaGrad (Duchi, Hazan and Singer, 2011).
    AdaGrad {
        /// Keeps the divisor from zero.
        #[attr(id = 10, default = 1e-7)]
        pub eps: f64,
    } lr None {}
}

impl Rule for AdaGrad {
    common!();
    fn num_states(&self) -> usize {
        1
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        s.run(plain!(AdagradUpdate, s, epsilon: self.eps))
    }
}

optimizer! {
    /// AdaDelta (Zeiler, 2012). As in MXNet it has no use for a learning rate.
    AdaDelta {
        /// How much of the means stays.
        #[attr(id = 10, default = 0.9)]
        pub rho: f64,
        /// Keeps roots from zero.
        #[attr(id = 12, default = 1e-5)]
        pub epsilon: f64,
    } lr None {}
}

impl Rule for AdaDelta {
    common!();
    fn num_states(&self) -> usize {
        2
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let s = Step { lr: 1.0, ..*s };
        s.run(plain!(AdadeltaUpdate, s, rho: self.rho, epsilon: self.epsilon))
    }
}

optimizer! {
    /// FTRL-Proximal (McMahan et al., 2013).
    Ftrl {
        /// The coefficient of the weights' absolute values.
        #[attr(id = 10, default = 0.01)]
        pub lamda1: f64,
    } lr Some(0.1) {
        /// Slows the first steps.
        #[attr(id = 11, default = 1.0)]
        pub beta: f64,
    }
}

impl Rule for Ftrl {
    common!();
    fn num_states(&self) -> usize {
        2
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        s.run(plain!(FtrlUpdate, s, lamda1: self.lamda1, beta: self.beta))
    }
}

optimizer! {
    /// FTML (Zheng and Kwok, 2017).
    Ftml {
        /// How much of the mean of the gradients stays.
        #[attr(id = 10, default = 0.6)]
        pub beta1: f64,
        /// How much of the mean of their squares stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
    } lr None {}
}

impl Rule for Ftml {
    common!();
    fn num_states(&self) -> usize {
        3
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        s.run(FtmlUpdate {
            lr: s.lr,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            t: s.t,
            wd: s.wd,
            rescale_grad: s.rescale_grad,
            clip_grad: s.clip_gradient,
        })
    }
}

optimizer! {
    /// LAMB (You et al., 2019), for large batches: Adam's direction, and a step in proportion to the
    /// weight's norm.
    Lamb {} lr Some(0.001) {
        /// How much of the mean of the gradients stays.
        #[attr(id = 10, default = 0.9)]
        pub beta1: f64,
        /// How much of the mean of their squares stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-6)]
        pub epsilon: f64,
        /// The weight's norm is taken to be at least this.
        #[attr(id = 13)]
        pub lower_bound: Option<f64>,
        /// The weight's norm is taken to be at most this.
        #[attr(id = 14)]
        pub upper_bound: Option<f64>,
        /// Correct the bias of the means towards zero.
        #[attr(id = 15, default = true)]
        pub bias_correction: bool,
    }
}

/// The norm of an array, as an array of one number.
fn norm(s: &Step, x: &NdArray) -> Result<NdArray> {
    let squares = s.call(MultiSumSq { num_arrays: 1 }, std::slice::from_ref(x))?;
    Ok(s.call(crate::ops::elemwise::Sqrt, &squares)?[0].clone())
}

impl Rule for Lamb {
    common!();
    fn num_states(&self) -> usize {
        2
    }
    fn handles_master(&self) -> bool {
        true
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let (beta1, beta2, epsilon, t, wd) = (self.beta1, self.beta2, self.epsilon, s.t, s.wd);
        let (bias_correction, rescale_grad, clip_gradient) =
            (self.bias_correction, s.rescale_grad, s.clip_gradient);
        let bound = |b: Option<f64>| b.filter(|b| *b != 0.0).unwrap_or(-1.0);
        let (lr, lower_bound, upper_bound) = (s.lr, bound(self.lower_bound), bound(self.upper_bound));
        let mut inputs = vec![s.weight.clone(), s.grad.clone()];
        inputs.extend(s.states.iter().chain(s.master).cloned());
        macro_rules! phases {
            ($first:ident, $second:ident) => {{
                let first =
                    $first { beta1, beta2, epsilon, t, bias_correction, wd, rescale_grad, clip_gradient };
                let direction = s.call(first, &inputs)?[0].clone();
                let r1 = norm(s, s.master.unwrap_or(s.weight))?;
                let r2 = norm(s, &direction)?;
                let mut inputs = vec![s.weight.clone(), direction, r1, r2];
                inputs.extend(s.master.cloned());
                let op = crate::op::registry().op($second { lr, lower_bound, upper_bound });
                let out = [Some((s.weight.clone(), Req::Write))];
                crate::op::invoke(&op, &inputs, &out, &crate::op::Call::default()).map(drop)
            }};
        }
        if s.master.is_some() {
            phases!(MpLambUpdatePhase1, MpLambUpdatePhase2)
        } else {
            phases!(LambUpdatePhase1, LambUpdatePhase2)
        }
    }
}

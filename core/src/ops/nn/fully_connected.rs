//! The fully connected layer and its two gradients, each one matrix product without a transposed copy.

use super::compute::{read, write, write_or_add};
use crate::kernels::gemm::{Size, gemm};
use crate::ops::family::prelude::*;
use crate::ops::reduce::Sum;

/// Multiplies data with the transposed weight and adds a bias: `y = x · Wᵀ + b`.
///
/// With `flatten`, data of shape (n, d1, d2, …) is seen as (n, d1·d2·…) and the result is (n, num_hidden);
/// without, only the last axis is multiplied and the others stay. The weight is (num_hidden, inputs), the bias
/// (num_hidden).
#[derive(Attrs, Clone, Debug)]
pub struct FullyConnected {
    /// Number of results for each row of data.
    #[attr(id = 1, min = 1)]
    pub num_hidden: i64,
    /// Add no bias.
    #[attr(id = 2, default = false)]
    pub no_bias: bool,
    /// Join all axes but the first of the data.
    #[attr(id = 3, default = true)]
    pub flatten: bool,
}

/// The layer's data as a matrix: its columns, if they are known.
fn columns(data: &Shape, flatten: bool) -> Option<i64> {
    let tail = if flatten { &data[1..] } else { &data[data.ndim() - 1..] };
    tail.iter().all(|d| *d >= 0).then(|| tail.iter().product())
}

/// Shape of the result for data of this shape.
fn result_shape(data: &Shape, hidden: i64, flatten: bool) -> Shape {
    let mut out = if flatten { Shape::new(&data[..1]) } else { Shape::new(&data[..data.ndim() - 1]) };
    out.push(hidden);
    out
}

impl Operator for FullyConnected {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data."),
            Input::new("weight", "The weight, (num_hidden, inputs)."),
            Input::new("bias", "The bias, (num_hidden).").optional(),
        ];
        Meta::new("FullyConnected", inputs).aliases(&["_npx_fully_connected", "_sparse_FullyConnected"])
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, data: &[i64], inputs: i64| {
            Sample::new(name).input(data).input(&[4, inputs]).input(&[4]).attr("num_hidden", 4)
        };
        let wide = Sample::new("a product large enough for blocks");
        vec![
            sample("a matrix", &[3, 5], 5),
            sample("axes that are joined", &[2, 3, 2], 6),
            sample("only the last axis", &[2, 3, 2], 2).attr("flatten", false),
            Sample::new("no bias").input(&[3, 5]).input(&[4, 5]).attr("num_hidden", 4).attr("no_bias", true),
            Sample::new("one element")
                .input(&[1, 1])
                .input(&[1, 1])
                .attr("num_hidden", 1)
                .attr("no_bias", true),
            wide.grid(&[9, 40], -1.0, 1.0).grid(&[17, 40], -1.0, 1.0).input(&[17]).attr("num_hidden", 17),
            sample("another number of inputs", &[3, 6], 5).fails(ErrorCode::Shape),
            Sample::new("another num_hidden")
                .input(&[3, 5])
                .input(&[4, 5])
                .input(&[4])
                .attr("num_hidden", 5)
                .fails(ErrorCode::Shape),
            Sample::new("nothing hidden")
                .input(&[3, 5])
                .input(&[0, 5])
                .input(&[0])
                .attr("num_hidden", 0)
                .fails(ErrorCode::InvalidValue),
            sample("a bias of another dtype", &[3, 5], 5).of(DType::F64).fails(ErrorCode::DType),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(if self.no_bias { 2 } else { 3 })
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if !self.no_bias {
            s.set_input(2, Shape::new(&[self.num_hidden]))?;
        }
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        if x.ndim() == 0 {
            return Err(err!(Shape, "expected at least one axis, got shape {x}").about("data"));
        }
        s.set_input(1, Shape::new(&[self.num_hidden, columns(&x, self.flatten).unwrap_or(UNKNOWN)]))?;
        s.set_output(0, result_shape(&x, self.num_hidden, self.flatten))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let inputs = k.shape(1)[1] as usize;
        with_compute!(k.dtype(0), C => {
            let (x, w) = (read::<C>(k, 0), read::<C>(k, 1));
            let bias = (!self.no_bias).then(|| read::<C>(k, 2));
            write::<C>(k, 0, |y| {
                let hidden = self.num_hidden as usize;
                if let Some(b) = &bias {
                    y.chunks_exact_mut(hidden).for_each(|row| row.copy_from_slice(b));
                }
                let size = Size { m: y.len() / hidden, n: hidden, k: inputs };
                let beta = if bias.is_some() { 1.0 } else { 0.0 };
                gemm(size, 1.0, &x, (inputs, 1), &w, (1, inputs), beta, y, (hidden, 1));
            });
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (dy, x, w) = (b.out_grad(0), b.input(0), b.input(1));
        let flatten = self.flatten;
        b.set_grad(0, dy.apply(FullyConnectedData { flatten }, &[w, x]));
        b.set_grad(1, dy.apply(FullyConnectedWeight { flatten }, &[x]));
        if !self.no_bias {
            let sum = Sum { axis: Some(Shape::new(&[-1])), keepdims: false, exclude: true };
            b.set_grad(2, dy.apply(sum, &[]));
        }
        Ok(())
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        2 * s.known(0).map_or(0, Shape::len) as u64 * self.num_hidden as u64
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.known(0).map_or(0, Shape::len) * self.num_hidden as usize / 8
    }
}

/// The gradient of a fully connected layer's data: `dx = dy · W`, in the shape of the data.
#[derive(Attrs, Clone, Debug)]
pub struct FullyConnectedData {
    /// As in the layer.
    #[attr(id = 1, default = true)]
    pub flatten: bool,
}

impl Operator for FullyConnectedData {
    fn meta() -> Meta {
        let inputs = [
            Input::new("out_grad", "The gradient of the result."),
            Input::new("weight", "The weight."),
            Input::new("data", "The data.").shape_only(),
        ];
        Meta::new("_fully_connected_data", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("(x[0] @ x[1]).reshape(x[2].shape)");
        let sample =
            |name, dy: &[i64], x: &[i64]| Sample::new(name).input(dy).input(&[4, 6]).input(x).oracle(numpy);
        vec![
            sample("joined axes", &[3, 4], &[3, 2, 3]),
            sample("the last axis", &[3, 2, 4], &[3, 2, 6]).attr("flatten", false),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(w), Some(x)) = (s.known(1).cloned(), s.input(2).cloned()) else { return Ok(()) };
        s.set_input(0, result_shape(&x, w[0], self.flatten))?;
        s.set_output(0, x)
    }
    fn accumulates(&self) -> bool {
        true
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (hidden, inputs) = (k.shape(1)[0] as usize, k.shape(1)[1] as usize);
        with_compute!(k.dtype(0), C => {
            let (dy, w) = (read::<C>(k, 0), read::<C>(k, 1));
            write_or_add::<C>(k, 0, |dx, add| {
                let size = Size { m: dy.len() / hidden.max(1), n: inputs, k: hidden };
                let beta = f64::from(u8::from(add));
                gemm(size, 1.0, &dy, (hidden, 1), &w, (inputs, 1), beta, dx, (inputs, 1));
            });
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (ddx, dy, w) = (b.out_grad(0), b.input(0), b.input(1));
        b.set_grad(0, ddx.apply(FullyConnectedProduct { flatten: self.flatten }, &[w]));
        b.set_grad(1, dy.apply(FullyConnectedWeight { flatten: self.flatten }, &[ddx]));
        Ok(())
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        2 * s.output(0).map_or(0, Shape::len) as u64 * s.known(1).map_or(0, |w| w[0] as u64)
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.total_len() * s.known(1).map_or(1, |w| w[0] as usize) / 8
    }
}

/// The gradient of a fully connected layer's weight: `dW = dyᵀ · x`.
#[derive(Attrs, Clone, Debug)]
pub struct FullyConnectedWeight {
    /// As in the layer.
    #[attr(id = 1, default = true)]
    pub flatten: bool,
}

impl Operator for FullyConnectedWeight {
    fn meta() -> Meta {
        let inputs = [Input::new("out_grad", "The gradient of the result."), Input::new("data", "The data.")];
        Meta::new("_fully_connected_weight", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0].reshape(-1, x[0].shape[-1]).T @ x[1].reshape(-1, 6)");
        let sample = |name, dy: &[i64], x: &[i64]| Sample::new(name).input(dy).input(x).oracle(numpy);
        vec![
            sample("joined axes", &[3, 4], &[3, 2, 3]),
            sample("the last axis", &[3, 2, 4], &[3, 2, 6]).attr("flatten", false),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(dy), Some(x)) = (s.input(0).cloned(), s.input(1).cloned()) else { return Ok(()) };
        let hidden = dy[dy.ndim() - 1];
        s.set_output(0, Shape::new(&[hidden, columns(&x, self.flatten).unwrap_or(UNKNOWN)]))
    }
    fn accumulates(&self) -> bool {
        true
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (hidden, inputs) = (k.out_shape(0)[0] as usize, k.out_shape(0)[1] as usize);
        with_compute!(k.dtype(0), C => {
            let (dy, x) = (read::<C>(k, 0), read::<C>(k, 1));
            write_or_add::<C>(k, 0, |dw, add| {
                let size = Size { m: hidden, n: inputs, k: dy.len() / hidden.max(1) };
                let beta = f64::from(u8::from(add));
                gemm(size, 1.0, &dy, (1, hidden), &x, (inputs, 1), beta, dw, (inputs, 1));
            });
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (ddw, dy, x) = (b.out_grad(0), b.input(0), b.input(1));
        b.set_grad(0, x.apply(FullyConnectedProduct { flatten: self.flatten }, &[ddw]));
        b.set_grad(1, dy.apply(FullyConnectedData { flatten: self.flatten }, &[ddw, x]));
        Ok(())
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        let hidden = s.known(0).map_or(0, |dy| dy[dy.ndim() - 1] as u64);
        2 * s.known(1).map_or(0, Shape::len) as u64 * hidden
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.total_len() * s.known(0).map_or(1, |dy| dy[0] as usize) / 8
    }
}

/// A fully connected layer without bias, whose size follows from the weight: what the gradients' gradients need.
#[derive(Attrs, Clone, Debug)]
pub struct FullyConnectedProduct {
    /// As in the layer.
    #[attr(id = 1, default = true)]
    pub flatten: bool,
}

impl Operator for FullyConnectedProduct {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The data."), Input::new("weight", "The weight.")];
        Meta::new("_fully_connected_product", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0].reshape(3, -1) @ x[1].T");
        vec![Sample::new("joined axes").input(&[3, 2, 3]).input(&[4, 6]).oracle(numpy)]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(x), Some(w)) = (s.input(0).cloned(), s.input(1).cloned()) else { return Ok(()) };
        s.set_input(1, Shape::new(&[UNKNOWN, columns(&x, self.flatten).unwrap_or(UNKNOWN)]))?;
        s.set_output(0, result_shape(&x, w[0], self.flatten))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let num_hidden = k.shape(1)[0];
        FullyConnected { num_hidden, no_bias: true, flatten: self.flatten }.forward(k)
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        2 * s.known(0).map_or(0, Shape::len) as u64 * s.known(1).map_or(0, |w| w[0] as u64)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (dy, x, w) = (b.out_grad(0), b.input(0), b.input(1));
        b.set_grad(0, dy.apply(FullyConnectedData { flatten: self.flatten }, &[w, x]));
        b.set_grad(1, dy.apply(FullyConnectedWeight { flatten: self.flatten }, &[x]));
        Ok(())
    }
}

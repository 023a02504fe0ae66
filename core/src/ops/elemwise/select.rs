//! The choice between two arrays, and the sum of any number.

use super::ZerosLike;
use crate::kernels::for_each_piece;
use crate::kernels::reduce::{Accumulator, ReduceElement};
use crate::ops::family::prelude::*;

/// Elements that are worked on together.
const TILE: usize = 1024;
/// Elements that one thread takes at least.
const GRAIN: usize = 32 * 1024;

/// The elements of `x` where the condition is not 0, else those of `y`.
#[derive(Attrs, Clone, Debug)]
pub struct Where;

impl Operator for Where {
    fn meta() -> Meta {
        let inputs = [
            Input::new("condition", "Of the shape of `x`, or one element for each row of `x`; of any dtype."),
            Input::new("x", "Elements where the condition is not 0."),
            Input::new("y", "Elements where the condition is 0."),
        ];
        Meta::new("where", inputs).aliases(&["_sparse_where"]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("a matrix").ints(&[3, 5], 0, 2).input(&[3, 5]).input(&[3, 5]).no_finite_differences(),
            Sample::new("rows")
                .values(&[3], &[0.0, 0.5, -1.0])
                .input(&[3, 2, 2])
                .input(&[3, 2, 2])
                .no_finite_differences(),
            Sample::new("integers").ints(&[4, 3], 0, 2).ints(&[4, 3], 0, 9).ints(&[4, 3], 0, 9).int_dtypes(),
            Sample::new("a condition of integers")
                .ints(&[4], 0, 2)
                .of(DType::I32)
                .input(&[4])
                .of(DType::F32)
                .input(&[4])
                .of(DType::F32)
                .as_given(),
            Sample::new("no elements").input(&[0, 3]).input(&[0, 3]).input(&[0, 3]).no_gradient(),
            Sample::new("a condition that fits neither")
                .input(&[2])
                .input(&[3, 2])
                .input(&[3, 2])
                .fails(ErrorCode::Shape),
            Sample::new("different shapes").input(&[2]).input(&[2]).input(&[3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let known = [s.input(1), s.input(2), s.output(0)].into_iter().flatten().next().cloned();
        let Some(x) = known else { return Ok(()) };
        s.set_input(1, x.clone())?;
        s.set_input(2, x.clone())?;
        s.set_output(0, x.clone())?;
        match s.input(0) {
            Some(c) if c.ndim() == 1 && x.ndim() > 1 => {
                let rows = Shape::new(&[x[0]]);
                s.set_input(0, rows)
            }
            Some(_) => s.set_input(0, x),
            None => Ok(()),
        }
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[1, 2])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        with_dtype!(k.dtype(1), T => select::<T>(k));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (condition, dy) = (b.input(0), b.out_grad(0));
        let zero = dy.apply(ZerosLike, &[]);
        if b.wants(1) {
            b.set_grad(1, condition.apply(Where, &[dy, zero]));
        }
        if b.wants(2) {
            b.set_grad(2, condition.apply(Where, &[zero, dy]));
        }
        Ok(())
    }
}

fn select<T: Element>(k: &Kernel) {
    let (x, y, out) = (k.input::<T>(1), k.input::<T>(2), k.output::<T>(0));
    let truths = truths(k, out.len() / k.shape(0).len().max(1));
    for_each_piece(out, GRAIN, |first, out| {
        let mut chosen = [false; TILE];
        for (tile, out) in out.chunks_mut(TILE).enumerate() {
            let start = first + tile * TILE;
            truths(start, &mut chosen[..out.len()]);
            for (((o, c), x), y) in out.iter_mut().zip(&chosen).zip(&x[start..]).zip(&y[start..]) {
                *o = if *c { *x } else { *y };
            }
        }
    });
}

/// Says for elements from a given one on whether the condition, whose elements count `repeats` times, is not 0.
type Truths<'k> = Box<dyn Fn(usize, &mut [bool]) + Sync + 'k>;

fn truths<'k>(k: &'k Kernel, repeats: usize) -> Truths<'k> {
    with_dtype!(k.dtype(0), C => {
        let (condition, no) = (k.input::<C>(0), C::default());
        Box::new(move |start, out| {
            if repeats == 1 {
                out.iter_mut().zip(&condition[start..]).for_each(|(o, c)| *o = *c != no);
            } else {
                out.iter_mut().enumerate().for_each(|(i, o)| *o = condition[(start + i) / repeats] != no);
            }
        })
    })
}

/// Sum of any number of arrays of one shape.
#[derive(Attrs, Clone, Debug)]
pub struct AddN {
    /// Number of arrays; as many as are given without it.
    #[attr(id = 1)]
    pub num_args: Option<i64>,
}

impl Operator for AddN {
    fn meta() -> Meta {
        Meta::new("add_n", [Input::new("args", "The arrays.").counted("num_args", &["arg"])])
            .aliases(&["ElementWiseSum", "_sparse_ElementWiseSum", "_sparse_add_n"])
            .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("three matrices").input(&[3, 5]).input(&[3, 5]).input(&[3, 5]).attr("num_args", 3),
            Sample::new("one array").input(&[7]).attr("num_args", 1),
            Sample::new("integers").ints(&[4, 3], 0, 9).ints(&[4, 3], 0, 9).attr("num_args", 2).int_dtypes(),
            Sample::new("different shapes")
                .input(&[2])
                .input(&[3])
                .attr("num_args", 2)
                .fails(ErrorCode::Shape),
            Sample::new("another number of arrays")
                .input(&[2])
                .attr("num_args", 2)
                .fails(ErrorCode::InvalidValue),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        self.num_args.map(|n| n.max(0) as usize)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        if s.num_inputs() == 0 {
            Err(err!(InvalidValue, "expected at least one array").about("args"))
        } else {
            Ok(())
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        with_dtype!(k.out_dtype(0), T => add_all::<T>(k));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        (0..b.num_inputs()).for_each(|i| b.set_grad(i, b.out_grad(0)));
        Ok(())
    }
}

fn add_all<T: ReduceElement>(k: &Kernel) {
    let inputs: Vec<&[T]> = (0..k.num_inputs()).map(|i| k.input(i)).collect();
    for_each_piece(k.output::<T>(0), GRAIN, |first, out| {
        let (mut sums, mut buffer) = (vec![T::Acc::ZERO; TILE], T::buffer(TILE));
        for (tile, out) in out.chunks_mut(TILE).enumerate() {
            let (start, sums) = (first + tile * TILE, &mut sums[..out.len()]);
            sums.fill(T::Acc::ZERO);
            for x in &inputs {
                let x = T::widen(&x[start..start + out.len()], &mut buffer);
                sums.iter_mut().zip(x).for_each(|(s, x)| *s = s.plus(*x));
            }
            out.iter_mut().zip(sums).for_each(|(o, s)| *o = T::narrow(*s));
        }
    });
}

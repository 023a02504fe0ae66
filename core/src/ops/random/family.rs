//! What the distributions share: each comes as three operators, which differ in where shape and parameters
//! come from.

use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::op::kernel::Kernel;
use crate::op::{DTypeInfer, DTypes, ShapeInfer};
use crate::rng::{Params, Real, Stream};
use crate::shape::Shape;

/// A distribution with `N` parameters.
pub(super) trait Distribution<const N: usize> {
    /// Fills a slice.
    fn fill<T: Real>(stream: Stream, out: &mut [T], p: Params<T, N>);

    /// Checks parameters that are the same for all elements; the error names the argument.
    fn check(p: [f64; N]) -> Result<()>;

    /// For numbers that lie in [low, high): the two, which rounding to a smaller type must respect.
    fn limits(_p: [f64; N]) -> Option<(f64, f64)> {
        None
    }
}

/// Where parameters come from: one set for all, or arrays with some draws for each entry.
pub(super) enum Values<const N: usize> {
    Same([f64; N]),
    Each([Vec<f64>; N], usize),
}

impl<const N: usize> Values<N> {
    fn of(&self, i: usize) -> [f64; N] {
        match self {
            Values::Same(p) => *p,
            Values::Each(arrays, draws) => std::array::from_fn(|n| arrays[n][i / draws]),
        }
    }
}

fn fill<D: Distribution<N>, T: Real, const N: usize>(stream: Stream, out: &mut [T], p: &Values<N>) {
    if out.is_empty() {
        return;
    }
    match p {
        Values::Same(p) => D::fill(stream, out, Params::same(&p.map(T::from_f64))),
        Values::Each(arrays, draws) => {
            let arrays = arrays.each_ref().map(|a| a.iter().map(|v| T::from_f64(*v)).collect::<Vec<T>>());
            D::fill(stream, out, Params::each(arrays.each_ref().map(|a| &a[..]), *draws));
        }
    }
}

/// A type that is drawn as `f32` and rounded.
trait Half: Element {
    /// The neighbour above or below.
    fn neighbour(self, up: bool) -> Self;
}

macro_rules! half {
    ($($t:ty),*) => {$(
        impl Half for $t {
            fn neighbour(self, up: bool) -> Self {
                let bits = self.to_bits();
                Self::from_bits(match (self.to_f32() == 0.0, (self.to_f32() > 0.0) == up) {
                    (true, _) => 1 | u16::from(!up) << 15,
                    (false, true) => bits + 1,
                    (false, false) => bits - 1,
                })
            }
        }
    )*};
}
half!(half::f16, half::bf16);

/// The nearest number of type `T` in [low, high); if there is none, the nearest one not below `low`.
fn within<T: Half>(x: f32, (low, high): (f64, f64)) -> T {
    let mut y = T::from_f64(f64::from(x));
    while low < high && y.to_f64() >= high {
        y = y.neighbour(false);
    }
    while y.to_f64() < low {
        y = y.neighbour(true);
    }
    y
}

fn fill_half<D: Distribution<N>, T: Half, const N: usize>(stream: Stream, out: &mut [T], p: &Values<N>) {
    let mut wide = vec![0f32; out.len()];
    fill::<D, f32, N>(stream, &mut wide, p);
    for (i, (o, x)) in out.iter_mut().zip(wide).enumerate() {
        *o = match D::limits(p.of(i)) {
            Some(limits) => within(x, limits),
            None => T::from_f64(f64::from(x)),
        };
    }
}

/// The kernel of all: fills the output.
pub(super) fn draw<D: Distribution<N>, const N: usize>(k: &Kernel, p: &Values<N>) -> Result<()> {
    match k.out_dtype(0) {
        DType::F32 => fill::<D, f32, N>(k.random, k.output(0), p),
        DType::F64 => fill::<D, f64, N>(k.random, k.output(0), p),
        DType::F16 => fill_half::<D, half::f16, N>(k.random, k.output(0), p),
        DType::BF16 => fill_half::<D, half::bf16, N>(k.random, k.output(0), p),
        other => crate::bail!(Internal, "no kernel for dtype {other}"),
    }
    Ok(())
}

/// One draw for each element of the output.
pub(super) fn draws(s: &ShapeInfer) -> u64 {
    s.output(0).filter(|s| s.is_known()).map_or(0, |s| s.len() as u64)
}

/// The dtype that the attribute says, else the one that `out` has, else `default`.
pub(super) fn output_dtype(t: &mut DTypeInfer, asked: Option<DType>, default: DType) -> Result<()> {
    t.set_output(0, asked.or(t.output(0)).unwrap_or(default))
}

/// Refuses an output dtype that is not in the set.
pub(super) fn require_dtype(dtype: Option<DType>, allowed: DTypes) -> Result<()> {
    match dtype {
        Some(d) if !allowed.contains(d) => {
            let names: Vec<_> = allowed.iter().map(DType::name).collect();
            Err(crate::err!(DType, "expected one of {}, got {d}", names.join(", ")).about("dtype"))
        }
        _ => Ok(()),
    }
}

/// The output's shape: that of the parameters, and for each of them `shape` draws.
pub(super) fn sample_shape(s: &mut ShapeInfer, shape: &Shape) -> Result<()> {
    for i in 1..s.num_inputs() {
        match (s.input(0).cloned(), s.input(i).cloned()) {
            (Some(a), _) => s.set_input(i, a)?,
            (None, Some(b)) => s.set_input(0, b)?,
            _ => {}
        }
    }
    let Some(p) = s.input(0) else { return Ok(()) };
    let out = p.iter().chain(shape.iter()).copied().collect();
    s.set_output(0, out)
}

/// Makes the three operators of a distribution from its parameters and how it is drawn.
macro_rules! distribution {
    (
        $(#[doc = $doc:literal])*
        $dist:ident: $plain:ident = $plain_name:literal aliases [$($plain_alias:literal),*],
        $like:ident = $like_name:literal,
        $sample:ident = $sample_name:literal aliases [$($sample_alias:literal),*];
        parameters {
            $($(#[doc = $pdoc:literal])* $p:ident: $t:ty = $default:literal, id $id:literal, each $each:literal;)+
        }
        bad $bad_param:literal = $bad:literal;
        sample on $low:literal to $high:literal;
        impl { $($body:item)* }
    ) => {
        struct $dist;
        impl Distribution<{ [$($default as f64),+].len() }> for $dist { $($body)* }

        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $plain {
            $($(#[doc = $pdoc])*
            #[attr(id = $id, default = $default)]
            pub $p: $t,)+
            /// The shape; that of `out` if absent.
            #[attr(id = 1)]
            pub shape: Option<Shape>,
            /// The device; the current one if empty.
            #[attr(id = 2, default = "")]
            pub ctx: String,
            /// The floating-point dtype; that of `out` or `float32` if absent.
            #[attr(id = 3)]
            pub dtype: Option<DType>,
        }

        impl Operator for $plain {
            fn meta() -> Meta {
                Meta::new($plain_name, []).aliases(&[$($plain_alias),*])
            }
            fn samples() -> Vec<Sample> {
                let sample = |name| Sample::new(name).as_given().oracle(Oracle::Run);
                let mut samples: Vec<Sample> = DTypes::FLOAT
                    .iter()
                    .map(|d| sample(d.name()).attr("shape", [3, 5]).attr("dtype", d))
                    .collect();
                samples.push(sample("no elements").attr("shape", [2, 0]));
                samples.push(sample("an integer dtype").attr("shape", [2])
                    .attr("dtype", DType::I32).fails(ErrorCode::DType));
                samples.push(sample("no shape").fails(ErrorCode::Shape));
                samples.push(sample("a parameter out of range").attr("shape", [2])
                    .attr($bad_param, $bad).fails(ErrorCode::InvalidValue));
                samples
            }
            fn device(&self) -> Option<Device> {
                super::device_of(&self.ctx)
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                self.shape.clone().map_or(Ok(()), |shape| s.set_output(0, shape))
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                require_dtype(self.dtype, DTypes::FLOAT)?;
                output_dtype(t, self.dtype, DType::F32)
            }
            fn check(&self, _s: &ShapeInfer) -> Result<()> {
                super::check_device(&self.ctx)?;
                $dist::check([$(self.$p as f64),+])
            }
            fn draws(&self, s: &ShapeInfer, _training: bool) -> u64 {
                draws(s)
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                draw::<$dist, _>(k, &Values::Same([$(self.$p as f64),+]))
            }
            fn gradient(&self, _b: &Builder) -> Result<()> {
                Ok(())
            }
        }

        $(#[doc = $doc])*
        ///
        /// The result has the shape and dtype of `data`.
        #[derive(Attrs, Clone, Debug)]
        pub struct $like {
            $($(#[doc = $pdoc])*
            #[attr(id = $id, default = $default)]
            pub $p: $t,)+
        }

        impl Operator for $like {
            fn meta() -> Meta {
                let data = Input::new("data", "The array whose shape and dtype to take.").shape_only();
                Meta::new($like_name, [data])
            }
            fn samples() -> Vec<Sample> {
                vec![
                    Sample::new("a matrix").input(&[3, 5]).no_gradient().oracle(Oracle::Run),
                    Sample::new("a parameter out of range").input(&[2])
                        .attr($bad_param, $bad).fails(ErrorCode::InvalidValue),
                ]
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.all_same()
            }
            fn check(&self, _s: &ShapeInfer) -> Result<()> {
                $dist::check([$(self.$p as f64),+])
            }
            fn draws(&self, s: &ShapeInfer, _training: bool) -> u64 {
                draws(s)
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                draw::<$dist, _>(k, &Values::Same([$(self.$p as f64),+]))
            }
            fn gradient(&self, _b: &Builder) -> Result<()> {
                Ok(())
            }
        }

        $(#[doc = $doc])*
        ///
        /// The parameters are arrays of one shape; for each of their entries there are as many draws as
        /// `shape`
        /// has elements. An entry that makes no sense as a parameter gives numbers that make none.
        #[derive(Attrs, Clone, Debug)]
        pub struct $sample {
            /// The shape of the draws for one entry of the parameters: the last axes of the result.
            #[attr(id = 1, default = Shape::scalar())]
            pub shape: Shape,
            /// The floating-point dtype; that of `out` or `float32` if absent.
            #[attr(id = 2)]
            pub dtype: Option<DType>,
        }

        impl Operator for $sample {
            fn meta() -> Meta {
                Meta::new($sample_name, [$(Input::new($each, concat!($($pdoc),*))),+])
                    .aliases(&[$($sample_alias),*])
                    .dtypes(DTypes::NUMERIC)
            }
            fn samples() -> Vec<Sample> {
                let inputs = |s: Sample| {
                    let s = [$($each),+].iter().fold(s, |s, _| s.grid(&[3], $low, $high));
                    s.no_gradient().oracle(Oracle::Run)
                };
                let ints = |s: Sample| {
                    [$($each),+].iter().fold(s, |s, _| s.ints(&[3], 1, 2)).int_dtypes().oracle(Oracle::Run)
                };
                let mut samples = vec![
                    inputs(Sample::new("one draw each")),
                    inputs(Sample::new("a matrix of draws each")).attr("shape", [2, 4]),
                    ints(Sample::new("integers as parameters")).attr("shape", [2]),
                    inputs(Sample::new("an integer dtype")).attr("dtype", DType::I32).fails(ErrorCode::DType),
                ];
                for d in DTypes::FLOAT.iter() {
                    samples.push(inputs(Sample::new(d.name())).attr("dtype", d));
                }
                samples
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                sample_shape(s, &self.shape)
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                require_dtype(self.dtype, DTypes::FLOAT)?;
                let known = (0..t.num_inputs()).find_map(|i| t.input(i));
                for i in 0..t.num_inputs() {
                    known.map_or(Ok(()), |d| t.set_input(i, d))?;
                    t.require(i, DTypes::NUMERIC)?;
                }
                output_dtype(t, self.dtype, DType::F32)
            }
            fn check(&self, _s: &ShapeInfer) -> Result<()> {
                self.shape.checked_len().map(drop).map_err(|e| e.about("shape"))
            }
            fn draws(&self, s: &ShapeInfer, _training: bool) -> u64 {
                draws(s)
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let mut i = 0..;
                let arrays = [$(k.input_f64(i.next().expect($each))),+];
                draw::<$dist, _>(k, &Values::Each(arrays, self.shape.len()))
            }
            fn gradient(&self, _b: &Builder) -> Result<()> {
                Ok(())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_never_leaves_the_interval() {
        let f = |x, low, high| within::<half::f16>(x, (low, high)).to_f64();
        assert_eq!(f(0.999_99, 0.0, 1.0), 1.0 - 2f64.powi(-11));
        assert_eq!(f(-1e-9, -1e-9, 0.0), 0.0f64.min(f(-1e-9, -1e-9, 0.0)));
        assert!(f(-0.999_99, -0.999_99, 1.0) >= -0.999_99);
        assert!(f(1e5, 0.0, 1e6).is_finite());
        assert_eq!(within::<half::bf16>(3.0, (3.0, 3.0)).to_f64(), 3.0);
    }
}

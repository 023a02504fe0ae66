//! Each kernel of `reduce` against a naive twin, over many shapes.

use super::*;
use crate::dtype::{Bool, Element};
use crate::kernels::simd::with_portable;
use crate::kernels::testing::{Random, assert_close};

const ALL: [Reduction; 8] = [
    Reduction::Sum,
    Reduction::Prod,
    Reduction::Max,
    Reduction::Min,
    Reduction::NanSum,
    Reduction::NanProd,
    Reduction::SumSquares,
    Reduction::SumAbs,
];

fn naive(op: Reduction, x: &[f64]) -> f64 {
    let clean = x.iter().copied().filter(|x| !x.is_nan());
    let extreme = |better: fn(f64, f64) -> f64, from| {
        if x.iter().any(|x| x.is_nan()) { f64::NAN } else { x.iter().copied().fold(from, better) }
    };
    match op {
        Reduction::Sum => x.iter().sum(),
        Reduction::Prod => x.iter().product(),
        Reduction::Max => extreme(f64::max, f64::NEG_INFINITY),
        Reduction::Min => extreme(f64::min, f64::INFINITY),
        Reduction::NanSum => clean.sum(),
        Reduction::NanProd => clean.product(),
        Reduction::SumSquares => x.iter().map(|x| x * x).sum(),
        Reduction::SumAbs => x.iter().map(|x| x.abs()).sum(),
    }
}

/// The elements that each element of the result is made of.
fn gathered<T: Element>(src: &[T], dims: &[usize], mask: &[bool]) -> Vec<Vec<f64>> {
    let len = dims.iter().zip(mask).filter(|(_, m)| !**m).map(|(d, _)| d).product();
    let mut parts = vec![Vec::new(); len];
    for (flat, x) in src.iter().enumerate() {
        let (mut rest, mut at, mut step) = (flat, 0, 1);
        for (d, m) in dims.iter().zip(mask).rev() {
            if !m {
                at += rest % d * step;
                step *= d;
            }
            rest /= d;
        }
        parts[at].push(x.to_f64());
    }
    parts
}

fn check<T: ReduceElement>(r: &mut Random, dims: &[usize], mask: &[bool], nan: bool, tol: f64) {
    let n = dims.iter().product();
    let int = !T::DTYPE.is_float();
    let mut src: Vec<T> = r.vec(n, if int { 3.0 } else { 1.0 });
    if nan && n > 0 {
        for _ in 0..n / 40 + 1 {
            let i = r.size(0, n - 1);
            src[i] = T::from_f64(f64::NAN);
        }
    }
    let parts = gathered(&src, dims, mask);
    for op in ALL {
        let empty = parts.iter().any(Vec::is_empty);
        if int && (empty || parts.iter().any(|p| p.len() > 30)) {
            continue;
        }
        let want: Vec<T> = parts
            .iter()
            .map(|p| naive(op, p))
            .map(|x| if int { T::from_i64(x as i64) } else { T::from_f64(x) })
            .collect();
        let mut got = vec![T::from_f64(9.0); want.len()];
        reduce(op, &src, dims, mask, &mut got);
        let loose = if matches!(op, Reduction::Prod | Reduction::NanProd) { 1e-2 } else { tol };
        assert_close(&got, &want, if int { 0.0 } else { loose }, &format!("{op:?} {dims:?} {mask:?}"));
    }
}

fn random_shapes(r: &mut Random, n: usize) {
    for i in 0..n {
        let nd = r.size(0, 5);
        let most = [1, 9000, 120, 30, 12, 7][nd];
        let dims: Vec<usize> = (0..nd).map(|_| r.size(usize::from(i % 8 != 0), most)).collect();
        let mask: Vec<bool> = (0..nd).map(|_| r.size(0, 1) == 0).collect();
        check::<f32>(r, &dims, &mask, i % 3 == 0, 1e-4);
        check::<f64>(r, &dims, &mask, i % 3 == 0, 1e-12);
        if i % 4 == 0 {
            check::<half::bf16>(r, &dims, &mask, false, 1e-2);
            check::<half::f16>(r, &dims, &mask, false, 2e-3);
            check::<i64>(r, &dims, &mask, false, 0.0);
            check::<i32>(r, &dims, &mask, false, 0.0);
            check::<Bool>(r, &dims, &mask, false, 0.0);
        }
    }
}

#[test]
fn random_axes_reduce_to_their_definition() {
    let mut r = Random(21);
    random_shapes(&mut r, 120);
    with_portable(|| random_shapes(&mut r, 30));
}

#[test]
fn many_blocks_are_joined_without_loss() {
    let mut r = Random(22);
    for (dims, mask) in [
        (vec![100_003], vec![true]),
        (vec![20_001, 5], vec![true, false]),
        (vec![3000, 70], vec![true, false]),
        (vec![3, 2500], vec![false, true]),
        (vec![70, 1500], vec![true, false]),
    ] {
        check::<f32>(&mut r, &dims, &mask, true, 1e-4);
        check::<f64>(&mut r, &dims, &mask, false, 1e-12);
    }
}

#[test]
fn positions_of_extremes_are_the_first_ones() {
    let mut r = Random(23);
    for i in 0..100 {
        let (outer, axis, inner) = (r.size(0, 5), r.size(1, 20), [1, r.size(1, 600)][i % 2]);
        let mut src: Vec<f32> = r.vec::<i32>(outer * axis * inner, 4.0).iter().map(|x| *x as f32).collect();
        if i % 5 == 0 {
            src.iter_mut().step_by(37).for_each(|x| *x = f32::NAN);
        }
        for which in [Extreme::Max, Extreme::Min] {
            let mut got = vec![-1; outer * inner];
            arg_extreme(which, &src, (outer, axis, inner), &mut got);
            for (at, got) in got.iter().enumerate() {
                let x = |a: usize| src[(at / inner * axis + a) * inner + at % inner];
                let key = |a: usize| if which == Extreme::Max { x(a) } else { -x(a) };
                let nan = (0..axis).find(|a| x(*a).is_nan());
                let want =
                    nan.unwrap_or_else(|| (0..axis).fold(0, |m, a| if key(a) > key(m) { a } else { m }));
                assert_eq!(*got, want as i64);
            }
        }
    }
}

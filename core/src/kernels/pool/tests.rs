//! Each kernel of `pool` against a naive twin, over many shapes.

use super::*;
use crate::kernels::simd::with_portable;
use crate::kernels::testing::{Random, assert_close};

/// Positions in a plane of the input that a window covers, and its size inside the padded input.
fn window(g: &PoolGeometry, flat: usize) -> (Vec<usize>, usize) {
    let o = [flat / (g.output[1] * g.output[2]), flat / g.output[2] % g.output[1], flat % g.output[2]];
    let (mut places, mut padded) = (vec![0], 1);
    for (a, o) in o.into_iter().enumerate() {
        let (mut next, mut inside) = (Vec::new(), 0);
        for p in &places {
            for k in 0..g.kernel[a] {
                let at = o * g.stride[a] + k;
                if (g.pad[a]..g.pad[a] + g.input[a]).contains(&at) {
                    next.push(p * g.input[a] + at - g.pad[a]);
                }
            }
        }
        for k in 0..g.kernel[a] {
            inside += usize::from(o * g.stride[a] + k < g.input[a] + 2 * g.pad[a]);
        }
        places = next;
        padded *= inside;
    }
    (places, padded)
}

fn check<T: Real + MaxElement>(g: &PoolGeometry, kind: Pooling, r: &mut Random, tol: f64) {
    let (ni, no) = (g.input_size(), g.output_size());
    // Few distinct values, so that maxima tie.
    let coarse = |x: f64| (x * 8.0).round() / 8.0 + 1.5;
    let x: Vec<T> = (0..g.planes * ni).map(|_| T::from_f64(coarse(r.unit()))).collect();
    let dy: Vec<T> = r.vec(g.planes * no, 1.0);
    let (mut want_y, mut want_dx) = (vec![0.0; dy.len()], vec![0.5; x.len()]);
    for (o, y) in want_y.iter_mut().enumerate() {
        let (places, padded) = window(g, o % no);
        let at = |p: &usize| o / no * ni + p;
        let v: Vec<f64> = places.iter().map(|p| x[at(p)].to_f64()).collect();
        let d = dy[o].to_f64();
        let count = match kind {
            Pooling::Avg { count_include_pad: true } => padded.max(1),
            Pooling::Avg { .. } => v.len().max(1),
            _ => 1,
        } as f64;
        match kind {
            Pooling::Max => {
                *y = v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if let Some(i) = v.iter().position(|v| v == y) {
                    want_dx[at(&places[i])] += d;
                }
            }
            Pooling::Lp(p) => {
                let p = f64::from(p);
                *y = v.iter().map(|x| x.powf(p)).sum::<f64>().powf(1.0 / p);
                for (i, x) in places.iter().zip(&v) {
                    want_dx[at(i)] += d * (x / *y).powf(p - 1.0);
                }
            }
            _ => {
                *y = v.iter().sum::<f64>() / count;
                places.iter().for_each(|p| want_dx[at(p)] += d / count);
            }
        }
    }
    let narrow = |v: &[f64]| v.iter().map(|x| T::from_f64(*x)).collect::<Vec<T>>();
    let (mut y, mut dx) = (vec![T::ONE; dy.len()], vec![T::from_f64(0.5); x.len()]);
    pool(g, kind, &x, &mut y);
    assert_close(&y, &narrow(&want_y), tol, &format!("{kind:?} {g:?}"));
    pool_backward(g, kind, &x, &y, &dy, &mut dx, true);
    assert_close(&dx, &narrow(&want_dx), tol, &format!("gradient {kind:?} {g:?}"));
    pool_backward(g, kind, &x, &y, &dy, &mut dx, false);
    want_dx.iter_mut().for_each(|d| *d -= 0.5);
    assert_close(&dx, &narrow(&want_dx), tol, &format!("gradient {kind:?} {g:?}"));
    if kind == Pooling::Max {
        let mut over = x.clone();
        max_pool_backward(g, Max::default(), None, &y, &dy, &mut over);
        assert_eq!(over, dx, "over the data {g:?}");
        // Some elements are below 0 now.
        let x: Vec<T> = x.iter().map(|x| *x - T::from_f64(1.5)).collect();
        let rectified: Vec<T> = x.iter().map(|x| if *x > T::ZERO { *x } else { T::ZERO }).collect();
        max_pool(g, &rectified, &mut y);
        let mut joined = vec![T::ONE; y.len()];
        relu_max_pool(g, &x, &mut joined);
        assert_eq!(joined, y, "of a rectifier {g:?}");
        pool_backward(g, kind, &rectified, &y, &dy, &mut dx, false);
        dx.iter_mut().zip(&x).for_each(|(d, x)| *d *= if *x > T::ZERO { T::ONE } else { T::ZERO });
        over.copy_from_slice(&x);
        max_pool_backward(g, Max { relu: true, accumulate: false }, None, &y, &dy, &mut over);
        assert_eq!(over, dx, "with a rectifier {g:?}");
    }
}

fn random_poolings(r: &mut Random, n: usize) {
    for i in 0..n {
        let nd = r.size(1, 3);
        let most = [40, 14, 7][nd - 1];
        let mut axis = |lo, hi| (0..nd).map(|_| r.size(lo, hi)).collect::<Vec<_>>();
        let (input, kernel, stride) = (axis(1, most), axis(1, 4), axis(1, 3));
        let pad: Vec<usize> = kernel.iter().map(|k| axis(0, 9)[0] % k).collect();
        let convention = [Convention::Valid, Convention::Full, Convention::Same][i % 3];
        let g = PoolGeometry::new(r.size(0, 4), &input, &kernel, &stride, &pad, convention);
        for kind in [
            Pooling::Max,
            Pooling::Avg { count_include_pad: true },
            Pooling::Avg { count_include_pad: false },
            Pooling::Sum,
            Pooling::Lp(1),
            Pooling::Lp(2),
            Pooling::Lp(3),
        ] {
            check::<f32>(&g, kind, r, 1e-4);
            check::<f64>(&g, kind, r, 1e-12);
        }
    }
}

#[test]
fn random_poolings_equal_their_definition() {
    let mut r = Random(31);
    random_poolings(&mut r, 120);
    with_portable(|| random_poolings(&mut r, 30));
}

#[test]
fn integers_have_a_maximum() {
    let g = PoolGeometry::new(1, &[4], &[2], &[2], &[1], Convention::Full);
    let mut y = [0i32; 3];
    max_pool(&g, &[-5, -3, -4, -9], &mut y);
    assert_eq!(y, [-5, -3, -9]);
}

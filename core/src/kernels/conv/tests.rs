//! Each kernel of `conv` against a naive twin, over many shapes.

use super::*;
use crate::kernels::simd::{Isa, with_at_most, with_portable};
use crate::kernels::testing::{Random, assert_close};

/// Calls `f(input element, weight element, output element)` for every product in a convolution.
fn each(g: &ConvGeometry, mut f: impl FnMut(usize, usize, usize)) {
    let (o, k, i) = (g.output, g.kernel, g.input);
    let dims = [g.batch, g.out_channels, o[0], o[1], o[2], g.group_in(), k[0], k[1], k[2]];
    let total: usize = dims.iter().product();
    for flat in 0..total {
        let mut ix = [0; 9];
        let mut rest = flat;
        for a in (0..9).rev() {
            ix[a] = rest % dims[a];
            rest /= dims[a];
        }
        let [n, co, z, y, x, c, kz, ky, kx] = ix;
        let at = |o: usize, k: usize, a: usize| (o * g.stride[a] + k * g.dilation[a]).wrapping_sub(g.pad[a]);
        let (iz, iy, ix) = (at(z, kz, 0), at(y, ky, 1), at(x, kx, 2));
        if iz >= i[0] || iy >= i[1] || ix >= i[2] {
            continue;
        }
        let ci = co / g.group_out() * g.group_in() + c;
        let input = (((n * g.in_channels + ci) * i[0] + iz) * i[1] + iy) * i[2] + ix;
        let weight = (((co * g.group_in() + c) * k[0] + kz) * k[1] + ky) * k[2] + kx;
        let output = (((n * g.out_channels + co) * o[0] + z) * o[1] + y) * o[2] + x;
        f(input, weight, output);
    }
}

fn random_geometry(r: &mut Random) -> ConvGeometry {
    let nd = r.size(1, 3);
    let groups = r.size(1, 3);
    let channels = (groups * r.size(1, 9), groups * r.size(1, 9), groups);
    let mut axis = |lo, hi| (0..nd).map(|_| r.size(lo, hi)).collect::<Vec<_>>();
    let most = [40, 14, 7][nd - 1];
    let (input, kernel) = (axis(1, most), axis(1, 4));
    let stride = if axis(0, 1)[0] == 0 { vec![1; nd] } else { axis(1, 3) };
    let (pad, dilation) = (axis(0, 3), axis(1, 2));
    let mut g = ConvGeometry::new(r.size(0, 4), channels, &input, &kernel, &stride, &pad, &dilation);
    // A deconvolution's extra size at the end makes outputs that do not reach it.
    if g.output[2] > 1 && r.size(0, 4) == 0 {
        g.output[2] -= 1;
    }
    g
}

fn check<T: ConvElement>(g: &ConvGeometry, r: &mut Random, tol: f64) {
    let x: Vec<T> = r.vec(g.input_len(), 1.0);
    let w: Vec<T> = r.vec(g.weight_len(), 1.0);
    let dy: Vec<T> = r.vec(g.output_len(), 1.0);
    let bias: Vec<T> = r.vec(g.out_channels, 1.0);
    let what = format!("{g:?}");
    let before = |n: usize, acc: bool| vec![T::from_f64(if acc { 0.5 } else { f64::NAN }); n];
    for acc in [false, true] {
        let from = if acc { 0.5 } else { 0.0 };
        let size = g.output_size();
        let mut y64: Vec<f64> =
            (0..g.output_len()).map(|i| from + bias[i / size % g.out_channels].to_f64()).collect();
        let mut dx64 = vec![from; x.len()];
        let mut dw64 = vec![from; w.len()];
        each(g, |i, k, o| {
            y64[o] += x[i].to_f64() * w[k].to_f64();
            dx64[i] += dy[o].to_f64() * w[k].to_f64();
            dw64[k] += dy[o].to_f64() * x[i].to_f64();
        });
        let narrow = |v: &[f64]| v.iter().map(|x| T::from_f64(*x)).collect::<Vec<T>>();
        let mut y = before(dy.len(), acc);
        forward(g, &x, &w, Some(&bias), &mut y, acc);
        assert_close(&y, &narrow(&y64), tol, &format!("forward {what}"));
        let mut dx = before(x.len(), acc);
        backward_data(g, &dy, &w, &mut dx, acc);
        assert_close(&dx, &narrow(&dx64), tol, &format!("backward data {what}"));
        let mut dw = before(w.len(), acc);
        backward_weight(g, &x, &dy, &mut dw, acc);
        assert_close(&dw, &narrow(&dw64), tol, &format!("backward weight {what}"));
    }
}

#[test]
fn random_convolutions_equal_their_definition() {
    let mut r = Random(1);
    for _ in 0..150 {
        let g = random_geometry(&mut r);
        check::<f32>(&g, &mut r, 2e-5);
        check::<f64>(&g, &mut r, 1e-13);
    }
}

#[test]
fn the_portable_path_equals_the_definition() {
    let mut r = Random(2);
    with_portable(|| {
        for _ in 0..40 {
            let g = random_geometry(&mut r);
            check::<f32>(&g, &mut r, 2e-5);
        }
    });
}

#[test]
fn wider_registers_do_not_change_what_is_summed_position_by_position() {
    let mut r = Random(6);
    for (channels, size, batch) in [((5, 21, 1), 9, 3), ((40, 33, 1), 4, 2), ((3, 8, 1), 20, 1)] {
        let s = [size, size];
        let g = ConvGeometry::new(batch, channels, &s, &[3; 2], &[1; 2], &[1; 2], &[1, 1]);
        let (x, w): (Vec<f32>, Vec<f32>) = (r.vec(g.input_len(), 1.0), r.vec(g.weight_len(), 1.0));
        let run = || {
            let mut y = vec![0.0; g.output_len()];
            forward(&g, &x, &w, None, &mut y, false);
            y
        };
        assert_eq!(run(), with_at_most(Isa::Avx2, run), "{channels:?}");
    }
}

#[test]
fn the_path_with_avx2_equals_the_definition() {
    let mut r = Random(7);
    with_at_most(Isa::Avx2, || {
        for _ in 0..40 {
            let g = random_geometry(&mut r);
            check::<f32>(&g, &mut r, 2e-5);
            check::<f64>(&g, &mut r, 1e-13);
        }
    });
}

#[test]
fn planes_that_are_filtered_one_by_one_equal_the_definition() {
    let mut r = Random(4);
    let mut check_some = |n: usize| {
        for _ in 0..n {
            let mut g = random_geometry(&mut r);
            g.groups = r.size(2, 5);
            (g.in_channels, g.out_channels) = (g.groups, g.groups * r.size(1, 5));
            check::<f32>(&g, &mut r, 2e-5);
            check::<f64>(&g, &mut r, 1e-13);
        }
    };
    check_some(80);
    with_portable(|| check_some(30));
}

#[test]
fn filtering_planes_gives_equal_bits_on_every_path() {
    let mut r = Random(5);
    let s = [33, 29];
    for stride in [1, 2, 3] {
        let g = ConvGeometry::new(2, (6, 6, 6), &s, &[3; 2], &[stride; 2], &[1; 2], &[1, 1]);
        let (x, w, dy) = (r.vec(g.input_len(), 1.0), r.vec(g.weight_len(), 1.0), r.vec(g.output_len(), 1.0));
        let run = || {
            let (mut y, mut dx, mut dw) = (dy.clone(), vec![0f32; x.len()], vec![0f32; w.len()]);
            forward(&g, &x, &w, None, &mut y, false);
            backward_data(&g, &dy, &w, &mut dx, false);
            backward_weight(&g, &x, &dy, &mut dw, false);
            (y, dx, dw)
        };
        assert_eq!(run(), with_portable(run), "step {stride}");
    }
}

#[test]
fn long_sums_and_many_channels_are_cut_correctly() {
    let mut r = Random(3);
    for (batch, channels, size, kernel, stride, pad) in [
        (3, (70, 40, 1), 9, 3, 1, 1),
        (2, (40, 150, 1), 12, 3, 2, 1),
        (70, (1, 20, 1), 12, 5, 1, 0),
        (2, (300, 20, 1), 5, 1, 1, 0),
        (1, (6, 6, 6), 30, 3, 1, 1),
    ] {
        let s = [size, size];
        let g = ConvGeometry::new(batch, channels, &s, &[kernel; 2], &[stride; 2], &[pad; 2], &[1, 1]);
        check::<f32>(&g, &mut r, 1e-4);
    }
}

#[test]
fn gradients_with_many_channels_equal_the_definition() {
    let mut r = Random(8);
    for isa in [Isa::Portable, Isa::Avx2, Isa::Avx512] {
        for (batch, channels, size, kernel, stride, pad, dilation) in [
            (3, (33, 20, 1), [13, 7], [3, 3], [1, 1], [1, 1], [1, 1]),
            (2, (32, 18, 1), [12, 15], [3, 2], [2, 1], [0, 3], [1, 2]),
            (2, (64, 34, 2), [9, 12], [1, 1], [2, 2], [0, 0], [1, 1]),
            (5, (40, 17, 1), [2, 2], [3, 3], [1, 1], [1, 1], [1, 1]),
            (9, (36, 48, 2), [4, 3], [3, 3], [2, 2], [1, 1], [1, 1]),
            (3, (28, 9, 1), [300, 2], [3, 1], [1, 1], [2, 0], [2, 1]),
            (3, (28, 3, 1), [100, 110], [1, 1], [1, 1], [0, 0], [1, 1]),
        ] {
            let g = ConvGeometry::new(batch, channels, &size, &kernel, &stride, &pad, &dilation);
            with_at_most(isa, || check::<f32>(&g, &mut r, 1e-4));
        }
    }
}

#[test]
fn minimal_filtering_equals_the_definition_but_for_rounding() {
    let mut r = Random(7);
    for _ in 0..60 {
        let (channels, size) = ((r.size(1, 20), r.size(1, 20), 1), [r.size(1, 19), r.size(1, 19)]);
        let pad = [r.size(1, 3), r.size(1, 3)];
        let g = ConvGeometry::new(r.size(0, 4), channels, &size, &[3; 2], &[1; 2], &pad, &[1, 1]);
        let (x, w): (Vec<f64>, Vec<f64>) = (r.vec(g.input_len(), 1.0), r.vec(g.weight_len(), 1.0));
        let bias: Vec<f64> = r.vec(g.out_channels, 1.0);
        let mut exact: Vec<f64> =
            (0..g.output_len()).map(|i| bias[i / g.output_size() % g.out_channels]).collect();
        each(&g, |i, k, o| exact[o] += x[i] * w[k]);
        let mut y = vec![f64::NAN; g.output_len()];
        winograd(&g, &x, &w, Some(&bias), &mut y);
        assert_close(&y, &exact, 1e-13, &format!("{g:?}"));
        let narrow = |v: &[f64]| v.iter().map(|x| *x as f32).collect::<Vec<f32>>();
        let mut y = vec![f32::NAN; g.output_len()];
        winograd(&g, &narrow(&x), &narrow(&w), Some(&narrow(&bias)), &mut y);
        assert_close(&y, &narrow(&exact), 4e-5, &format!("{g:?}"));
    }
}

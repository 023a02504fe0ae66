//! Times the kernels: `cargo run --release --example kernels_bench [filter]`, with MXR_NUM_THREADS and MXR_ISA.

use mxr_core::kernels::conv::{self, ConvGeometry};
use mxr_core::kernels::gemm::{Size, gemm};
use mxr_core::kernels::layout::transpose;
use mxr_core::kernels::math::single;
use mxr_core::kernels::pool::{Convention, PoolGeometry, Pooling, pool, pool_backward};
use mxr_core::kernels::reduce::{Reduction, reduce_axis};
use mxr_core::kernels::softmax::softmax;
use std::time::Instant;

mxr_core::simd_fn! {
    fn exps(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = single::exp(*x);
        }
    }
    fn tanhs(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = single::tanh(*x);
        }
    }
    fn erfs(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = single::erf(*x);
        }
    }
    fn logs(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = single::log(*x);
        }
    }
}

/// Prints the least time of several rounds, and what `work` units per nanosecond that makes.
fn time(name: &str, work: f64, mut f: impl FnMut()) {
    let filter = std::env::args().nth(1).unwrap_or_default();
    if !name.contains(&filter) {
        return;
    }
    f();
    let start = Instant::now();
    f();
    let once = start.elapsed().as_secs_f64();
    let rounds = (0.02 / once).ceil().max(1.0) as usize;
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        (0..rounds).for_each(|_| f());
        best = best.min(start.elapsed().as_secs_f64() / rounds as f64);
    }
    println!("{name:40} {:9.4} ms {:8.2} /ns", best * 1e3, work / best * 1e-9);
}

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 % 1009) as f32 / 1009.0) - 0.5).collect()
}

fn convolutions() {
    for (name, batch, channels, size, kernel, stride, pad) in [
        ("lenet1 64x1x28 20@5", 64, (1, 20, 1), 28, 5, 1, 0),
        ("lenet1 64x1x28 32@5", 64, (1, 32, 1), 28, 5, 1, 0),
        ("lenet2 64x20x12 50@5", 64, (20, 50, 1), 12, 5, 1, 0),
        ("lenet2 64x32x12 64@5", 64, (32, 64, 1), 12, 5, 1, 0),
        ("stem 1x3x224 64@7s2", 1, (3, 64, 1), 224, 7, 2, 3),
        ("res 1x64x56 64@3", 1, (64, 64, 1), 56, 3, 1, 1),
        ("res 8x64x56 64@3", 8, (64, 64, 1), 56, 3, 1, 1),
        ("res 8x128x28 128@3", 8, (128, 128, 1), 28, 3, 1, 1),
        ("res 8x128x56 128@3s2", 8, (128, 128, 1), 56, 3, 2, 1),
        ("res 8x256x14 256@3", 8, (256, 256, 1), 14, 3, 1, 1),
        ("res 1x512x7 512@3", 1, (512, 512, 1), 7, 3, 1, 1),
        ("res 8x512x7 512@3", 8, (512, 512, 1), 7, 3, 1, 1),
        ("res 8x256x56 64@1", 8, (256, 64, 1), 56, 1, 1, 0),
        ("res 8x512x28 1024@1s2", 8, (512, 1024, 1), 28, 1, 2, 0),
        ("depthwise 8x128x28 3", 8, (128, 128, 128), 28, 3, 1, 1),
    ] {
        let g =
            ConvGeometry::new(batch, channels, &[size; 2], &[kernel; 2], &[stride; 2], &[pad; 2], &[1; 2]);
        let (x, w, mut y) = (values(g.input_len()), values(g.weight_len()), values(g.output_len()));
        let (mut dx, mut dw) = (x.clone(), w.clone());
        let flops = 2.0 * g.output_len() as f64 * (g.weight_len() / g.out_channels) as f64;
        time(&format!("{name} fwd"), flops, || conv::forward(&g, &x, &w, None, &mut y, false));
        time(&format!("{name} bwd data"), flops, || conv::backward_data(&g, &y, &w, &mut dx, false));
        time(&format!("{name} bwd weight"), flops, || conv::backward_weight(&g, &x, &y, &mut dw, false));
    }
}

fn products() {
    for (m, n, k) in [
        (64, 64, 64),
        (256, 256, 256),
        (512, 512, 512),
        (1024, 1024, 1024),
        (64, 256, 784),
        (64, 3136, 576),
        (512, 49, 4608),
        (128, 768, 3072),
        (1, 4096, 4096),
        (8, 1024, 1024),
    ] {
        let (a, b, mut c) = (values(m * k), values(k * n), values(m * n));
        let flops = 2.0 * (m * n * k) as f64;
        let size = Size { m, n, k };
        time(&format!("gemm nn {m}x{n}x{k}"), flops, || {
            gemm(size, 1.0, &a, (k, 1), &b, (n, 1), 0.0, &mut c, (n, 1));
        });
        time(&format!("gemm nt {m}x{n}x{k}"), flops, || {
            gemm(size, 1.0, &a, (k, 1), &b, (1, k), 0.0, &mut c, (n, 1));
        });
    }
}

fn others() {
    let n = 1 << 16;
    let (x, mut y) = (values(n), values(n));
    time("exp 64k", n as f64, || exps(&x, &mut y));
    time("log 64k", n as f64, || logs(&x, &mut y));
    time("tanh 64k", n as f64, || tanhs(&x, &mut y));
    time("erf 64k", n as f64, || erfs(&x, &mut y));
    let n = 1 << 22;
    let (x, mut y) = (values(n), values(n));
    time("softmax 4096x1024", n as f64, || softmax((4096, 1024, 1), 1.0, false, &x, &mut y));
    time("softmax 64x64x1024 axis 1", n as f64, || softmax((64, 64, 1024), 1.0, false, &x, &mut y));
    for (name, around) in [
        ("all", (1, n, 1)),
        ("4096x1024 axis 1", (4096, 1024, 1)),
        ("4096x1024 axis 0", (1, 4096, 1024)),
        ("x8 axis 0", (1, n / 8, 8)),
    ] {
        time(&format!("sum {name}"), n as f64, || drop(reduce_axis(Reduction::Sum, &x, around)));
        time(&format!("max {name}"), n as f64, || drop(reduce_axis(Reduction::Max, &x, around)));
    }
    time("transpose 2048x2048", n as f64, || transpose(&x, &[2048, 2048], &[1, 0], &mut y));
    time("transpose nchw-nhwc", n as f64, || transpose(&x, &[16, 64, 4096], &[0, 2, 1], &mut y));
    time("transpose heads 8x128x12x64", 786_432.0, || {
        transpose(&x[..786_432], &[8, 128, 12, 64], &[0, 2, 1, 3], &mut y[..786_432]);
    });
    for (name, planes, size, kernel, pad, kind) in [
        ("max 2s2 64x20x24", 64 * 20, 24, 2, 0, Pooling::Max),
        ("max 3s2 8x64x112", 8 * 64, 112, 3, 1, Pooling::Max),
        ("avg 2s2 64x20x24", 64 * 20, 24, 2, 0, Pooling::Avg { count_include_pad: true }),
    ] {
        let g = PoolGeometry::new(planes, &[size; 2], &[kernel; 2], &[2; 2], &[pad; 2], Convention::Valid);
        let out: usize = planes * g.output.iter().product::<usize>();
        let (x, mut y, dy) = (values(planes * size * size), vec![0.0; out], values(out));
        let mut dx = x.clone();
        time(&format!("pool {name} fwd"), x.len() as f64, || pool(&g, kind, &x, &mut y));
        time(&format!("pool {name} bwd"), x.len() as f64, || {
            pool_backward(&g, kind, &x, &y, &dy, &mut dx, false);
        });
    }
}

fn main() {
    convolutions();
    products();
    others();
}

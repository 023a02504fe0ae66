//! What the engine costs per operation, in nanoseconds: `cargo run --release -p mxr-core --example engine_cost`.

use mxr_core::engine::{self, Begin, PushOptions, Resource, Var};
use smallvec::smallvec;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

fn measure(name: &str, turns: u32, mut f: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..turns {
            f();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(turns));
    }
    println!("{name:50} {best:9.1} ns");
}

fn main() {
    let vars: [Var; 3] = [Var::new(), Var::new(), Var::new()];
    measure("begin + finish, two reads and a write", 100_000, || {
        let (reads, writes) = ([&vars[0], &vars[1]], [&vars[2]]);
        let begun = engine::begin(black_box(&reads), black_box(&writes));
        assert!(matches!(begun, Begin::Ready));
        engine::finish(black_box(&reads), black_box(&writes), Ok(()));
    });
    measure("should_inline", 100_000, || {
        black_box(engine::should_inline(black_box(100)));
    });
    measure("wait_read on an idle variable", 100_000, || {
        engine::wait_read(black_box(&vars[0]), None).expect("idle");
    });
    let owned: [Arc<dyn Resource>; 3] = [Arc::new(Var::new()), Arc::new(Var::new()), Arc::new(Var::new())];
    let push = || {
        let [a, b, c] = owned.clone();
        engine::push(Box::new(|| Ok(())), smallvec![a, b], smallvec![c], PushOptions::default())
            .expect("push");
    };
    measure("push, in a row of dependent operations", 10_000, push);
    measure("push and wait", 1_000, || {
        push();
        engine::wait_read(&*owned[2], None).expect("no error");
    });
    engine::shutdown(None).expect("shutdown");
}

//! The networks of the memory figures in MXNet's paper of 2015, for pictures of 224 by 224.

use super::{call, conv, dense, global_pool, norm, pool, relu, softmax, var};
use mxr_core::graph::Symbol;

fn dropout(x: &Symbol) -> Symbol {
    call("Dropout", &[x], &[("p", "0.5")])
}

fn classifier(x: &Symbol) -> Symbol {
    let x = call("Flatten", &[x], &[]);
    let x = dropout(&relu(&dense(&x, 4096)));
    let x = dropout(&relu(&dense(&x, 4096)));
    softmax(&dense(&x, 1000))
}

/// Krizhevsky, Sutskever and Hinton, 2012, as in MXNet's examples.
pub fn alexnet() -> Symbol {
    let lrn = |x: &Symbol| x.clone();
    let x = lrn(&relu(&conv(&var("data"), 96, 11, 4, 2, true)));
    let x = pool(&x, "max", 3, 2, 0);
    let x = lrn(&relu(&conv(&x, 256, 5, 1, 2, true)));
    let x = pool(&x, "max", 3, 2, 0);
    let x = relu(&conv(&x, 384, 3, 1, 1, true));
    let x = relu(&conv(&x, 384, 3, 1, 1, true));
    let x = relu(&conv(&x, 256, 3, 1, 1, true));
    classifier(&pool(&x, "max", 3, 2, 0))
}

/// Simonyan and Zisserman, 2014, with 16 layers.
pub fn vgg16() -> Symbol {
    let mut x = var("data");
    for (filters, layers) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
        for _ in 0..layers {
            x = relu(&conv(&x, filters, 3, 1, 1, true));
        }
        x = pool(&x, "max", 2, 2, 0);
    }
    classifier(&x)
}

fn inception(x: &Symbol, sizes: [u32; 6]) -> Symbol {
    let [one, reduce3, three, reduce5, five, projected] = sizes;
    let a = relu(&conv(x, one, 1, 1, 0, true));
    let b = relu(&conv(&relu(&conv(x, reduce3, 1, 1, 0, true)), three, 3, 1, 1, true));
    let c = relu(&conv(&relu(&conv(x, reduce5, 1, 1, 0, true)), five, 5, 1, 2, true));
    let d = relu(&conv(&pool(x, "max", 3, 1, 1), projected, 1, 1, 0, true));
    call("Concat", &[&a, &b, &c, &d], &[("dim", "1")])
}

/// Szegedy and others, 2014.
pub fn googlenet() -> Symbol {
    let x = relu(&conv(&var("data"), 64, 7, 2, 3, true));
    let x = relu(&conv(&pool(&x, "max", 3, 2, 1), 64, 1, 1, 0, true));
    let x = pool(&relu(&conv(&x, 192, 3, 1, 1, true)), "max", 3, 2, 1);
    let x = inception(&x, [64, 96, 128, 16, 32, 32]);
    let x = pool(&inception(&x, [128, 128, 192, 32, 96, 64]), "max", 3, 2, 1);
    let x = inception(&x, [192, 96, 208, 16, 48, 64]);
    let x = inception(&x, [160, 112, 224, 24, 64, 64]);
    let x = inception(&x, [128, 128, 256, 24, 64, 64]);
    let x = inception(&x, [112, 144, 288, 32, 64, 64]);
    let x = pool(&inception(&x, [256, 160, 320, 32, 128, 128]), "max", 3, 2, 1);
    let x = inception(&x, [256, 160, 320, 32, 128, 128]);
    let x = inception(&x, [384, 192, 384, 48, 128, 128]);
    let x = call("Flatten", &[&global_pool(&x)], &[]);
    softmax(&dense(&dropout(&x), 1000))
}

/// He and others, 2015, with bottlenecks; 152 layers with stages of 3, 8, 36 and 3 units.
pub fn resnet(stages: [u32; 4]) -> Symbol {
    let x = relu(&norm(&conv(&var("data"), 64, 7, 2, 3, false)));
    let mut x = pool(&x, "max", 3, 2, 1);
    for (stage, units) in stages.into_iter().enumerate() {
        for unit in 0..units {
            let filters = 64 << stage;
            let stride = if stage > 0 && unit == 0 { 2 } else { 1 };
            let y = relu(&norm(&conv(&x, filters, 1, 1, 0, false)));
            let y = relu(&norm(&conv(&y, filters, 3, stride, 1, false)));
            let y = norm(&conv(&y, 4 * filters, 1, 1, 0, false));
            let shortcut = if unit == 0 { norm(&conv(&x, 4 * filters, 1, stride, 0, false)) } else { x };
            x = relu(&call("elemwise_add", &[&shortcut, &y], &[]));
        }
    }
    let x = call("Flatten", &[&global_pool(&x)], &[]);
    softmax(&dense(&x, 1000))
}

//! Initializers: exact where nothing is drawn, else bounds, moments and angles.

use mxr_core::init::{self, initialize, initializers};
use mxr_core::op::AttrValue;
use mxr_core::{DType, Device, NdArray, Shape, with_dtype};

fn empty(shape: &[i64], dtype: DType) -> NdArray {
    NdArray::full(Shape::new(shape), 77.0, dtype, Device::cpu(0)).unwrap()
}

fn values(a: &NdArray) -> Vec<f64> {
    use mxr_core::dtype::Element;
    with_dtype!(a.dtype(), T => a.to_vec::<T>().unwrap().iter().map(|v| v.to_f64()).collect())
}

fn filled(name: &str, attrs: &[(&str, AttrValue)], shape: &[i64]) -> Vec<f64> {
    let a = empty(shape, DType::F32);
    initializers().create(name, attrs).unwrap().fill(&a).unwrap();
    values(&a)
}

fn deviation(x: &[f64]) -> f64 {
    (x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64).sqrt()
}

#[test]
fn constants_are_exact() {
    assert_eq!(filled("zeros", &[], &[3]), [0.0; 3]);
    assert_eq!(filled("One", &[], &[2, 1]), [1.0; 2]);
    assert_eq!(filled("constant", &[("value", 1.5.into())], &[2]), [1.5; 2]);
    assert_eq!(filled("constant", &[("value", [1.0, 2.0].into())], &[2]), [1.0, 2.0]);
    let wrong = initializers().create("constant", &[("value", [1.0, 2.0].into())]).unwrap();
    assert_eq!(wrong.fill(&empty(&[3], DType::F32)).unwrap_err().argument(), Some("value"));
}

#[test]
fn the_forget_gate_has_its_bias() {
    assert_eq!(
        filled("lstmbias", &[("forget_bias", 2.0.into())], &[8]),
        [0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    );
}

#[test]
fn bilinear_weights_are_those_of_mxnet() {
    // mx.init.Bilinear() on an array of shape (1, 1, 4, 4), and (1, 1, 3, 3).
    let row = [0.25, 0.75, 0.75, 0.25];
    let want: Vec<f64> = row.iter().flat_map(|a| row.map(|b| a * b)).collect();
    assert_eq!(filled("bilinear", &[], &[1, 1, 4, 4]), want);
    let row = [0.25, 0.75, 0.75];
    let want: Vec<f64> = row.iter().flat_map(|a| row.map(|b| a * b)).collect();
    assert_eq!(filled("bilinear", &[], &[1, 1, 3, 3]), want);
}

#[test]
fn random_weights_have_their_scale() {
    let x = filled("uniform", &[], &[100, 100]);
    assert!(x.iter().all(|v| v.abs() <= 0.07) && (deviation(&x) - 0.07 / 3f64.sqrt()).abs() < 1e-3);
    let x = filled("normal", &[("sigma", 2.0.into())], &[100, 100]);
    assert!((deviation(&x) - 2.0).abs() < 0.1);
    assert_eq!(filled("normal", &[("sigma", 0.0.into())], &[2]), [0.0; 2]);
}

#[test]
fn xavier_measures_inputs_and_outputs() {
    // 40 outputs, 10 inputs, windows of 9.
    for (factor_type, factor) in [("avg", 225.0), ("in", 90.0), ("out", 360.0)] {
        let attrs = [("factor_type", factor_type.into()), ("magnitude", 2.0.into())];
        let bound = (2.0f64 / factor).sqrt();
        let x = filled("xavier", &attrs, &[40, 10, 3, 3]);
        assert!(x.iter().all(|v| v.abs() <= bound * 1.000_001));
        assert!((deviation(&x) / (bound / 3f64.sqrt()) - 1.0).abs() < 0.05);
        let mut attrs = attrs.to_vec();
        attrs.push(("rnd_type", "gaussian".into()));
        let x = filled("xavier", &attrs, &[40, 10, 3, 3]);
        assert!((deviation(&x) / bound - 1.0).abs() < 0.06);
    }
    let x = filled("msraprelu", &[("slope", 0.0.into()), ("factor_type", "in".into())], &[100, 50]);
    assert!((deviation(&x) / (2.0f64 / 50.0).sqrt() - 1.0).abs() < 0.06);
    let xavier = initializers().create("xavier", &[]).unwrap();
    assert!(xavier.fill(&empty(&[3], DType::F32)).is_err());
}

#[test]
fn orthogonal_matrices_are_orthogonal() {
    for rand_type in ["uniform", "normal"] {
        for (shape, rows, columns) in [([4, 5, 2], 4, 10), ([12, 5, 1], 12, 5), ([6, 6, 1], 6, 6)] {
            let x = filled("orthogonal", &[("rand_type", rand_type.into())], &shape);
            let at = |r: usize, c: usize| x[r * columns + c];
            let few = rows.min(columns);
            for i in 0..few {
                for j in 0..few {
                    let product: f64 = if rows <= columns {
                        (0..columns).map(|c| at(i, c) * at(j, c)).sum()
                    } else {
                        (0..rows).map(|r| at(r, i) * at(r, j)).sum()
                    };
                    let want = if i == j { 1.414 * 1.414 } else { 0.0 };
                    assert!((product - want).abs() < 1e-5, "{i}, {j}: {product}");
                }
            }
        }
    }
}

#[test]
fn names_decide() {
    let one = init::One;
    for (name, want) in [
        ("fc_weight", 1.0),
        ("fc_bias", 0.0),
        ("bn_gamma", 1.0),
        ("bn_beta", 0.0),
        ("bn_moving_mean", 0.0),
        ("bn_running_var", 1.0),
        ("q_min", 0.0),
        ("q_max", 1.0),
    ] {
        for dtype in [DType::F32, DType::F16, DType::I32] {
            let a = empty(&[2], dtype);
            initialize(name, None, &one, &a).unwrap();
            assert_eq!(values(&a), [want; 2], "{name}");
        }
    }
    let a = empty(&[2], DType::F32);
    initialize("fc_weight", Some(&init::Zero), &one, &a).unwrap();
    assert_eq!(values(&a), [0.0; 2]);
    assert_eq!(initialize("thing", None, &one, &a).unwrap_err().argument(), Some("name"));
    assert_eq!(
        (init::role("a_weight"), init::role("x_moving_var"), init::role("a")),
        (Some("weight"), Some("one"), None)
    );
}

#[test]
fn texts_of_model_files_are_understood() {
    let a = empty(&[2], DType::F32);
    init::parse(r#"["constant", {"value": 2.5}]"#).unwrap().fill(&a).unwrap();
    assert_eq!(values(&a), [2.5; 2]);
    init::parse("zeros").unwrap().fill(&a).unwrap();
    assert_eq!(values(&a), [0.0; 2]);
    init::parse(r#"["xavier", {"rnd_type": "gaussian", "factor_type": "in", "magnitude": 2}]"#).unwrap();
    assert!(init::parse(r#"["xavier", {"power": 2}]"#).is_err());
    assert!(init::parse("[1]").is_err());
    assert!(init::parse("xavir").err().unwrap().message().contains("xavier"));
}

//! How far numbers are from the true ones. Each batch has a value, of which the mean is told.

use super::confusion::Average;
use super::metric;
use super::moments::Moments;
use super::tally::{Measure, Tally};
use crate::error::Result;
use crate::ndarray::observe::Elements;
use crate::shape::Shape;

/// Labels and predictions are of one shape, but for a last axis of size 1 that either may lack.
fn same_but_for_a_last_axis(label: &Shape, pred: &Shape) -> Result<()> {
    let column = |s: &Shape| -> Shape { if s.ndim() == 1 { Shape::new(&[s[0], 1]) } else { s.clone() } };
    if column(label) != column(pred) {
        return Err(
            crate::err!(Shape, "expected the shape of the predictions, {pred}, got {label}").about("labels")
        );
    }
    Ok(())
}

fn mean_of(label: &Elements, pred: &Elements, distance: impl Fn(f64) -> f64) -> f64 {
    let sum: f64 = label.iter().zip(pred.iter()).map(|(l, p)| distance(l - p)).sum();
    sum / label.len() as f64
}

/// Implements a metric that is the mean over batches of `$value` of label and prediction.
macro_rules! batch_mean {
    ($type:ident, $name:literal, $value:expr) => {
        impl Measure for $type {
            const NAME: &'static str = $name;
            metric!(@heading);

            fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()> {
                same_but_for_a_last_axis(label, pred)
            }

            fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally> {
                let value: fn(&Elements, &Elements) -> f64 = $value;
                Ok(Tally::new(value(label, pred), 1.0))
            }
        }
    };
}

metric! {
    /// The mean absolute error.
    Mae {} named "mae" {}
}

batch_mean!(Mae, "MAE", |l, p| mean_of(l, p, f64::abs));

metric! {
    /// The mean squared error.
    Mse {} named "mse" {}
}

batch_mean!(Mse, "MSE", |l, p| mean_of(l, p, |d| d * d));

metric! {
    /// The root of the mean squared error.
    Rmse {} named "rmse" {}
}

batch_mean!(Rmse, "RMSE", |l, p| mean_of(l, p, |d| d * d).sqrt());

metric! {
    /// Pearson's correlation of labels and predictions.
    PearsonCorrelation {} named "pearsonr" {
        /// Over what it is averaged.
        #[attr(id = 10, default = Average::Macro)]
        pub average: Average,
    }
}

impl Measure for PearsonCorrelation {
    const NAME: &'static str = "PearsonCorrelation";
    metric!(@heading);

    fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()> {
        if label != pred {
            return Err(crate::err!(Shape, "expected the shape of the predictions, {pred}, got {label}")
                .about("labels"));
        }
        Ok(())
    }

    fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally> {
        let moments = Moments::of((0..label.len()).map(|i| (pred.get(i), label.get(i))));
        match self.average {
            Average::Macro => Ok(Tally::new(moments.correlation(), 1.0)),
            Average::Micro => Ok(Tally { count: 1.0, moments, ..Tally::default() }),
        }
    }

    fn value(&self, all: &Tally) -> f64 {
        match self.average {
            Average::Macro => all.sum / all.count,
            Average::Micro => all.moments.correlation(),
        }
    }

    fn is_quotient(&self) -> bool {
        self.average == Average::Macro
    }
}

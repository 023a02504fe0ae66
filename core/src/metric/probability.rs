//! How probable the true classes are in the prediction.

use super::classification::{class, one_row_each};
use super::metric;
use super::tally::{Measure, Tally};
use crate::error::Result;
use crate::ndarray::observe::Elements;
use crate::shape::Shape;

/// The class that a label names; one below zero counts from the end, as NumPy has it.
fn named_class(label: f64, classes: usize) -> Result<usize> {
    let label = class(label);
    let place = if label < 0 { label + classes as i64 } else { label };
    usize::try_from(place).ok().filter(|p| *p < classes).ok_or_else(|| {
        crate::err!(Index, "expected a class from 0 to {}, got {label}", classes - 1).about("labels")
    })
}

/// Implements the mean negative logarithm of the probability of the true class.
macro_rules! negative_log {
    ($type:ident, $name:literal) => {
        impl Measure for $type {
            const NAME: &'static str = $name;
            metric!(@heading);

            fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()> {
                one_row_each(label, pred)
            }

            fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally> {
                let width = pred.shape()[1] as usize;
                let mut sum = 0.0;
                for (row, label) in label.iter().enumerate() {
                    sum -= (pred.get(row * width + named_class(label, width)?) + self.eps).ln();
                }
                Ok(Tally::new(sum, label.len() as f64))
            }
        }
    };
}

metric! {
    /// The mean of the negative logarithm of the probability that is predicted for the true class.
    CrossEntropy {
        /// Added to probabilities, so that the logarithm of 0 is finite.
        #[attr(id = 10, default = 1e-12)]
        pub eps: f64,
    } named "cross-entropy" {}
}

negative_log!(CrossEntropy, "CrossEntropy");

metric! {
    /// The same as the cross entropy, under another name.
    NegativeLogLikelihood {
        /// Added to probabilities, so that the logarithm of 0 is finite.
        #[attr(id = 10, default = 1e-12)]
        pub eps: f64,
    } named "nll-loss" {}
}

negative_log!(NegativeLogLikelihood, "NegativeLogLikelihood");

metric! {
    /// The perplexity: the exponential of the mean negative logarithm of the probability that is predicted for the
    /// true class.
    Perplexity {
        /// A label that does not count; all count if absent.
        #[attr(id = 10)]
        pub ignore_label: Option<i64>,
        /// The axis of the classes: the last one.
        #[attr(id = 11, default = -1)]
        pub axis: i64,
    } named "perplexity" {}
}

impl Measure for Perplexity {
    const NAME: &'static str = "Perplexity";
    metric!(@heading);

    fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()> {
        let axis = pred.axis(self.axis).map_err(|e| e.about("preds"))?;
        let (outer, classes, inner) = pred.split_at_axis(axis);
        if inner != 1 || classes == 0 || label.len() != outer {
            return Err(crate::err!(
                Shape,
                "expected a label for each row of classes of predictions of shape {pred}, got shape {label}"
            )
            .about("labels"));
        }
        Ok(())
    }

    fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally> {
        let (_, width, _) = pred.shape().split_at_axis(pred.shape().axis(self.axis)?);
        let (mut sum, mut count) = (0.0, 0.0);
        for (row, label) in label.iter().enumerate() {
            if self.ignore_label.is_some_and(|ignored| label == ignored as f64) {
                continue;
            }
            // A class beyond the last counts as the last, as MXNet's `pick` has it.
            let place = class(label).clamp(0, width as i64 - 1) as usize;
            sum -= pred.get(row * width + place).max(1e-10).ln();
            count += 1.0;
        }
        Ok(Tally::new(sum, count))
    }

    fn value(&self, all: &Tally) -> f64 {
        (all.sum / all.count).exp()
    }
}

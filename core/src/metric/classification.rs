//! How often the predicted class is the true one.

use super::metric;
use super::tally::{Measure, Tally};
use crate::error::Result;
use crate::ndarray::observe::Elements;
use crate::shape::Shape;

metric! {
    /// The share of predictions that are right. A prediction of another shape than its label has a score for each
    /// class, and means the class of the highest.
    Accuracy {
        /// The axis of the classes.
        #[attr(id = 10, default = 1)]
        pub axis: i64,
    } named "accuracy" {}
}

/// Place of the largest of `n` scores that are `step` apart from `begin` on; the first of equals.
pub(super) fn largest(scores: &Elements, begin: usize, step: usize, n: usize) -> usize {
    let mut best = 0;
    for i in 1..n {
        if scores.get(begin + i * step) > scores.get(begin + best * step) {
            best = i;
        }
    }
    best
}

/// The class at an element: fractions are dropped.
pub(super) fn class(value: f64) -> i64 {
    value as i64
}

impl Measure for Accuracy {
    const NAME: &'static str = "Accuracy";
    metric!(@heading);

    fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()> {
        if label == pred {
            return Ok(());
        }
        let axis = pred.axis(self.axis).map_err(|e| e.about("preds"))?;
        let (outer, classes, inner) = pred.split_at_axis(axis);
        if classes == 0 || label.len() != outer * inner {
            return Err(crate::err!(
                Shape,
                "expected a label for each of {} predictions of shape {pred}, got shape {label}",
                outer * inner
            )
            .about("labels"));
        }
        Ok(())
    }

    fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally> {
        if label.shape() == pred.shape() {
            let right = label.iter().zip(pred.iter()).filter(|(l, p)| class(*l) == class(*p)).count();
            return Ok(Tally::new(right as f64, label.len() as f64));
        }
        let (outer, classes, inner) = pred.shape().split_at_axis(pred.shape().axis(self.axis)?);
        let places = (0..outer).flat_map(|o| (0..inner).map(move |i| o * classes * inner + i));
        let predicted = places.map(|begin| largest(pred, begin, inner, classes) as i64);
        let right = label.iter().zip(predicted).filter(|(l, p)| class(*l) == *p).count();
        Ok(Tally::new(right as f64, label.len() as f64))
    }
}

metric! {
    /// The share of predictions among whose `top_k` highest scores is that of the true class. Its name is told
    /// with the number: `top_k_accuracy_5`.
    TopKAccuracy {
        /// How many scores count, more than one.
        #[attr(id = 10, default = 1)]
        pub top_k: i64,
    } named "top_k_accuracy" {}
}

impl Measure for TopKAccuracy {
    const NAME: &'static str = "TopKAccuracy";

    fn heading(&self) -> super::Heading<'_> {
        super::Heading {
            name: format!("{}_{}", self.name, self.top_k),
            output_names: self.output_names.as_deref(),
            label_names: self.label_names.as_deref(),
        }
    }

    fn check(&self) -> Result<()> {
        if self.top_k < 2 {
            let e = crate::err!(InvalidValue, "expected more than 1 (1 is Accuracy), got {}", self.top_k);
            return Err(e.about("top_k"));
        }
        Ok(())
    }

    fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()> {
        one_row_each(label, pred)
    }

    fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally> {
        let classes = pred.shape()[1];
        let mut right = 0;
        for (row, label) in label.iter().enumerate() {
            let (row, label) = (row * classes as usize, class(label));
            if !(0..classes).contains(&label) {
                continue;
            }
            // Of equal scores those of higher classes come first, as a stable sort would have them.
            let own = pred.get(row + label as usize);
            let above = (0..classes).filter(|c| {
                let score = pred.get(row + *c as usize);
                score > own || (score == own && *c > label)
            });
            right += usize::from((above.count() as i64) < self.top_k);
        }
        Ok(Tally::new(right as f64, label.len() as f64))
    }
}

/// Refuses anything but a row of scores for each label.
pub(super) fn one_row_each(label: &Shape, pred: &Shape) -> Result<()> {
    if pred.ndim() != 2 || pred[1] == 0 {
        return Err(
            crate::err!(Shape, "expected a row of scores for each label, got shape {pred}").about("preds")
        );
    }
    if label.len() as i64 != pred[0] {
        return Err(crate::err!(
            Shape,
            "expected {} labels, one for each row of {pred}, got shape {label}",
            pred[0]
        )
        .about("labels"));
    }
    Ok(())
}

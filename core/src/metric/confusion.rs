//! What follows from how often each class is taken for each other one.

use super::classification::{class, largest, one_row_each};
use super::metric;
use super::tally::{Measure, Tally};
use crate::error::Result;
use crate::ndarray::observe::Elements;
use crate::op::AttrEnum;
use crate::shape::Shape;
use std::collections::{BTreeMap, BTreeSet};

/// Over what a metric is averaged.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Average {
    /// Each batch has a value, of which the mean is told.
    Macro,
    /// All batches together have one value.
    Micro,
}

/// Counts of two classes: true positives, false positives, false negatives, true negatives.
#[derive(Clone, Copy, Debug)]
struct Binary {
    tp: f64,
    fp: f64,
    fn_: f64,
    tn: f64,
}

impl Binary {
    /// Class 1 counts as positive, all others as negative.
    fn of(classes: &BTreeMap<(i64, i64), f64>) -> Binary {
        let mut out = Binary { tp: 0.0, fp: 0.0, fn_: 0.0, tn: 0.0 };
        for ((predicted, label), n) in classes {
            match (*predicted == 1, *label == 1) {
                (true, true) => out.tp += n,
                (true, false) => out.fp += n,
                (false, true) => out.fn_ += n,
                (false, false) => out.tn += n,
            }
        }
        out
    }

    fn f1(self) -> f64 {
        let share = |of: f64, all: f64| if all > 0.0 { of / all } else { 0.0 };
        let (precision, recall) = (share(self.tp, self.tp + self.fp), share(self.tp, self.tp + self.fn_));
        share(2.0 * precision * recall, precision + recall)
    }

    fn mcc(self) -> f64 {
        let Binary { tp, fp, fn_, tn } = self;
        // Sums that are 0 are left out, so that the quotient exists.
        let sums = [tp + fp, tp + fn_, tn + fp, tn + fn_].into_iter().filter(|s| *s != 0.0);
        (tp * tn - fp * fn_) / sums.product::<f64>().sqrt()
    }
}

/// How often classes are predicted for labels of which there are at most two.
fn binary_classes(label: &Elements, pred: &Elements) -> Result<BTreeMap<(i64, i64), f64>> {
    let labels: BTreeSet<i64> = label.iter().map(class).collect();
    if labels.len() > 2 {
        let found: Vec<String> = labels.iter().take(4).map(i64::to_string).collect();
        let e = crate::err!(InvalidValue, "expected two classes, got labels {}", found.join(", "));
        return Err(e.about("labels"));
    }
    let width = pred.shape()[1] as usize;
    let mut classes = BTreeMap::new();
    for (row, label) in label.iter().enumerate() {
        let predicted = largest(pred, row * width, 1, width) as i64;
        *classes.entry((predicted, class(label))).or_default() += 1.0;
    }
    Ok(classes)
}

/// Implements the metric of two classes that a method of [`Binary`] computes.
macro_rules! binary_metric {
    ($type:ident, $name:literal, $value:ident) => {
        impl Measure for $type {
            const NAME: &'static str = $name;
            metric!(@heading);

            fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()> {
                one_row_each(label, pred)
            }

            fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally> {
                let classes = binary_classes(label, pred)?;
                if self.average == Average::Macro {
                    return Ok(Tally::new(Binary::of(&classes).$value(), 1.0));
                }
                Ok(Tally { count: label.len() as f64, classes, ..Tally::default() })
            }

            fn value(&self, all: &Tally) -> f64 {
                match self.average {
                    Average::Macro => all.sum / all.count,
                    Average::Micro => Binary::of(&all.classes).$value(),
                }
            }

            fn is_quotient(&self) -> bool {
                self.average == Average::Macro
            }
        }
    };
}

metric! {
    /// The F1 score of two classes: the harmonic mean of precision and recall of class 1.
    F1 {} named "f1" {
        /// Over what it is averaged.
        #[attr(id = 10, default = Average::Macro)]
        pub average: Average,
    }
}

binary_metric!(F1, "F1", f1);

metric! {
    /// Matthews' correlation coefficient of two classes.
    Mcc {} named "mcc" {
        /// Over what it is averaged.
        #[attr(id = 10, default = Average::Macro)]
        pub average: Average,
    }
}

binary_metric!(Mcc, "MCC", mcc);

metric! {
    /// Matthews' correlation coefficient of any number of classes, over all batches together.
    Pcc {} named "pcc" {}
}

impl Measure for Pcc {
    const NAME: &'static str = "PCC";
    metric!(@heading);

    fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()> {
        if label == pred { Ok(()) } else { one_row_each(label, pred) }
    }

    fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally> {
        let width = if label.shape() == pred.shape() { 0 } else { pred.shape()[1] as usize };
        let mut classes = BTreeMap::new();
        for (row, label) in label.iter().enumerate() {
            let predicted = match width {
                0 => class(pred.get(row)),
                _ => largest(pred, row * width, 1, width) as i64,
            };
            *classes.entry((predicted, class(label))).or_default() += 1.0;
        }
        Ok(Tally { count: 1.0, classes, ..Tally::default() })
    }

    fn value(&self, all: &Tally) -> f64 {
        let (mut predicted, mut labels) = (BTreeMap::<i64, f64>::new(), BTreeMap::<i64, f64>::new());
        let (mut n, mut right) = (0.0, 0.0);
        for ((p, l), times) in &all.classes {
            *predicted.entry(*p).or_default() += times;
            *labels.entry(*l).or_default() += times;
            n += times;
            right += if p == l { *times } else { 0.0 };
        }
        let spread = |sums: &BTreeMap<i64, f64>| sums.values().map(|s| s * (n - s)).sum::<f64>();
        let both: f64 = predicted.iter().filter_map(|(c, p)| Some(p * labels.get(c)?)).sum();
        (right * n - both) / (spread(&predicted) * spread(&labels)).sqrt()
    }

    fn is_quotient(&self) -> bool {
        false
    }
}

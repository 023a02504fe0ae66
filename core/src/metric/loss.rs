//! Means of what the network itself says, or the caller.

use super::metric;
use super::tally::{Measure, Tally};
use crate::error::Result;
use crate::ndarray::observe::Elements;
use crate::shape::Shape;

metric! {
    /// The mean of the predictions, which are losses. Labels are not looked at.
    Loss {} named "loss" {}
}

impl Measure for Loss {
    const NAME: &'static str = "Loss";
    const READS_LABELS: bool = false;
    metric!(@heading);

    fn accepts(&self, _label: &Shape, _pred: &Shape) -> Result<()> {
        Ok(())
    }

    fn measure(&self, _label: &Elements, pred: &Elements) -> Result<Tally> {
        Ok(Tally::new(pred.iter().sum(), pred.len() as f64))
    }
}

metric! {
    /// A mean of what the caller computes: it adds sums and counts by itself.
    Custom {} named "custom" {}
}

impl Measure for Custom {
    const NAME: &'static str = "CustomMetric";
    metric!(@heading);

    fn accepts(&self, _label: &Shape, _pred: &Shape) -> Result<()> {
        crate::bail!(Unsupported, "what labels and predictions add is for the caller to compute")
    }

    fn measure(&self, _label: &Elements, _pred: &Elements) -> Result<Tally> {
        crate::bail!(Unsupported, "what labels and predictions add is for the caller to compute")
    }
}

//! Lines about metrics.

use super::{Callback, Moment, Reply, fixed};
use crate::metric::Values;
use crate::op::Attrs;

/// Says the metrics of training every so many batches.
#[derive(Attrs, Clone, Debug)]
pub struct LogTrainMetric {
    /// Batches from one line to the next.
    #[attr(id = 1, min = 1)]
    pub period: i64,
    /// Metrics begin again after each line.
    #[attr(id = 2, default = false)]
    pub auto_reset: bool,
}

/// A line for each value; no text without a value.
fn lines(values: Option<&Values>, line: impl Fn(&str, String) -> String) -> Option<String> {
    let lines: Vec<String> = values?.iter().map(|(name, value)| line(name, fixed(*value, 6))).collect();
    Some(lines.join("\n")).filter(|text| !text.is_empty())
}

impl Callback for LogTrainMetric {
    fn due(&mut self, now: &Moment) -> bool {
        now.batch % self.period == 0
    }

    fn call(&mut self, now: &Moment, values: Option<&Values>) -> Reply {
        let Moment { epoch, batch, .. } = *now;
        let text = lines(values, |name, value| format!("Iter[{epoch}] Batch[{batch}] Train-{name}={value}"));
        Reply { text, reset_metric: self.auto_reset && values.is_some(), save: false }
    }
}

/// Says the metrics of validation at the end of an epoch.
#[derive(Attrs, Clone, Debug)]
pub struct LogValidationMetrics;

impl Callback for LogValidationMetrics {
    fn due(&mut self, _now: &Moment) -> bool {
        true
    }

    fn call(&mut self, now: &Moment, values: Option<&Values>) -> Reply {
        let text = lines(values, |name, value| format!("Epoch[{}] Validation-{name}={value}", now.epoch));
        Reply { text, ..Reply::default() }
    }
}

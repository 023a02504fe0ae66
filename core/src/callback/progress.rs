//! How fast training is, and how far.

use super::{Callback, HasState, Moment, Reply, Stateful, fixed};
use crate::metric::Values;
use crate::op::Attrs;

/// Says speed and metrics every so many batches.
#[derive(Attrs, Clone, Debug)]
pub struct Speedometer {
    /// Number of examples in a batch.
    #[attr(id = 1, min = 1)]
    pub batch_size: i64,
    /// Batches from one line to the next.
    #[attr(id = 2, default = 50, min = 1)]
    pub frequent: i64,
    /// Metrics begin again after each line.
    #[attr(id = 3, default = true)]
    pub auto_reset: bool,
}

/// When the batches since the last line began.
#[derive(Default)]
pub struct Since {
    start: Option<f64>,
    last_batch: i64,
}

impl HasState for Speedometer {
    type State = Since;
}

impl Callback for Stateful<Speedometer> {
    fn due(&mut self, now: &Moment) -> bool {
        let state = &mut self.state;
        if state.last_batch > now.batch {
            state.start = None;
        }
        state.last_batch = now.batch;
        match state.start {
            None => {
                state.start = Some(now.seconds);
                false
            }
            Some(_) => now.batch % self.attrs.frequent == 0,
        }
    }

    fn call(&mut self, now: &Moment, values: Option<&Values>) -> Reply {
        let Speedometer { batch_size, frequent, auto_reset } = self.attrs;
        let start = self.state.start.replace(now.seconds).unwrap_or(now.seconds);
        let speed = fixed((frequent * batch_size) as f64 / (now.seconds - start).max(0.0), 2);
        let Moment { epoch, batch, .. } = *now;
        let Some(values) = values else {
            let text = format!("Iter[{epoch}] Batch [{batch}]\tSpeed: {speed} samples/sec");
            return Reply { text: Some(text), ..Reply::default() };
        };
        let first = if auto_reset { batch - frequent } else { 0 };
        let mut text = format!("Epoch[{epoch}] Batch [{first}-{batch}]\tSpeed: {speed} samples/sec");
        for (name, value) in values {
            text += &format!("\t{name}={}", fixed(*value, 6));
        }
        Reply { text: Some(text), reset_metric: auto_reset, save: false }
    }
}

/// Draws a bar that fills with the batches.
#[derive(Attrs, Clone, Debug)]
pub struct ProgressBar {
    /// Number of batches.
    #[attr(id = 1, min = 1)]
    pub total: i64,
    /// Number of characters of the bar.
    #[attr(id = 2, default = 80, min = 1, max = 1000)]
    pub length: i64,
}

impl Callback for ProgressBar {
    fn due(&mut self, _now: &Moment) -> bool {
        true
    }

    fn call(&mut self, now: &Moment, _values: Option<&Values>) -> Reply {
        let done = (now.batch as f64 / self.total as f64).clamp(0.0, 1.0);
        let filled = (self.length as f64 * done).round_ties_even() as usize;
        let bar = "=".repeat(filled) + &"-".repeat(self.length as usize - filled);
        let text = format!("[{bar}] {}%\r", (100.0 * done).ceil());
        Reply { text: Some(text), ..Reply::default() }
    }
}

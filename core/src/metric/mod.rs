//! Metrics: how good predictions are, summed over batches.
//!
//! A metric says what one pair of label and prediction adds ([`Measure`]); [`Tallied`] sums it up, since the last
//! [`Metric::reset_local`] and since the last [`Metric::reset`]. Updates run in the engine's order and wait for
//! nothing: only [`Metric::get`] does, and it reports what was wrong with labels or predictions.
//!
//! Names, attributes and results are those of MXNet 1.9.1's `mx.metric`.

mod classification;
mod composite;
mod confusion;
mod loss;
mod moments;
mod probability;
mod regression;
mod tally;

pub use classification::{Accuracy, TopKAccuracy};
pub use composite::Composite;
pub use confusion::{Average, F1, Mcc, Pcc};
pub use loss::{Custom, Loss};
pub use probability::{CrossEntropy, NegativeLogLikelihood, Perplexity};
pub use regression::{Mae, Mse, PearsonCorrelation, Rmse};
pub use tally::{Heading, Measure, Tallied, Tally};

use crate::error::Result;
use crate::ndarray::NdArray;
use std::sync::{Arc, Mutex, PoisonError};

/// A metric that the caller keeps too, and that composite metrics may share.
pub type SharedMetric = Arc<Mutex<Box<dyn Metric>>>;

/// Names and values, as [`Metric::get`] gives them.
pub type Values = Vec<(String, f64)>;

/// Arrays with their names.
pub type NamedArrays<'a> = [(&'a str, &'a NdArray)];

/// Says how good predictions are.
pub trait Metric: Send {
    /// Takes in a batch: as many labels as predictions.
    ///
    /// # Errors
    /// `InvalidValue` for other numbers of arrays, `Shape` for shapes that do not go together.
    fn update(&mut self, labels: &[NdArray], preds: &[NdArray]) -> Result<()>;

    /// Takes in a batch of which arrays are chosen by name: those that the attributes `label_names` and
    /// `output_names` say, all without them.
    ///
    /// # Errors
    /// As [`Metric::update`]; `NotFound` for a name that is missing.
    fn update_named(&mut self, labels: &NamedArrays, preds: &NamedArrays) -> Result<()>;

    /// Adds a sum and a count that the caller found by itself.
    ///
    /// # Errors
    /// `Unsupported` for a metric that is not a quotient of the two.
    fn add(&mut self, sum: f64, count: f64) -> Result<()>;

    /// Forgets everything.
    fn reset(&mut self);

    /// Forgets what [`Metric::get`] tells, but not what [`Metric::get_global`] does.
    fn reset_local(&mut self);

    /// Names and values since the last reset of either kind; not a number where there was nothing. Waits.
    ///
    /// # Errors
    /// What was wrong with the contents of labels or predictions, and errors of the operations that made them.
    fn get(&self) -> Result<Values>;

    /// Names and values since the last [`Metric::reset`]. Waits.
    ///
    /// # Errors
    /// As [`Metric::get`].
    fn get_global(&self) -> Result<Values>;

    /// The metrics that a composite one is made of.
    fn parts(&self) -> &[SharedMetric] {
        &[]
    }

    /// Adds a metric to a composite one, which must not become a part of itself: see [`push`].
    ///
    /// # Errors
    /// `Unsupported` for other metrics.
    fn push(&mut self, _part: SharedMetric) -> Result<()> {
        crate::bail!(Unsupported, "only a composite metric takes others")
    }

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// `InvalidValue`, about the attribute.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

crate::registered_table! {
    /// Every metric, by the names of MXNet's classes.
    pub fn metrics() -> dyn Metric = "metric" {
        Tallied<Accuracy> = "Accuracy" aliases ["acc"],
        Tallied<TopKAccuracy> = "TopKAccuracy" aliases ["top_k_accuracy", "top_k_acc"],
        Tallied<F1> = "F1",
        Tallied<Mcc> = "MCC",
        Tallied<Perplexity> = "Perplexity",
        Tallied<Mae> = "MAE",
        Tallied<Mse> = "MSE",
        Tallied<Rmse> = "RMSE",
        Tallied<CrossEntropy> = "CrossEntropy" aliases ["ce"],
        Tallied<NegativeLogLikelihood> = "NegativeLogLikelihood" aliases ["nll_loss"],
        Tallied<PearsonCorrelation> = "PearsonCorrelation" aliases ["pearsonr"],
        Tallied<Pcc> = "PCC",
        Tallied<Loss> = "Loss",
        Tallied<Custom> = "CustomMetric" aliases ["custom"],
        Composite = "CompositeEvalMetric" aliases ["composite"],
    }
}

/// Makes the metric of this name with the defaults of its attributes.
///
/// # Errors
/// Those of [`crate::op::Table::create`].
pub fn shared(name: &str) -> Result<SharedMetric> {
    Ok(Arc::new(Mutex::new(metrics().create(name, &[])?)))
}

/// Adds a metric to a composite one that is shared.
///
/// # Errors
/// `InvalidValue` if the composite metric is the part, or among its parts; as [`Metric::push`].
pub fn push(whole: &Mutex<Box<dyn Metric>>, part: SharedMetric) -> Result<()> {
    // One at a time, so that no other push closes a circle meanwhile.
    static PUSHING: Mutex<()> = Mutex::new(());
    let _pushing = PUSHING.lock().unwrap_or_else(PoisonError::into_inner);
    if is_within(whole, &part) {
        return Err(crate::err!(InvalidValue, "a metric cannot be a part of itself").about("part"));
    }
    whole.lock().unwrap_or_else(PoisonError::into_inner).push(part)
}

/// True for a metric itself, and for a part of it at any depth.
fn is_within(sought: &Mutex<Box<dyn Metric>>, metric: &SharedMetric) -> bool {
    let parts = || metric.lock().unwrap_or_else(PoisonError::into_inner).parts().to_vec();
    std::ptr::eq(sought, &raw const **metric) || parts().iter().any(|part| is_within(sought, part))
}

/// Makes a metric's struct: its own attributes around those that all have, with `name` as the default of the
/// name under which it tells its value.
macro_rules! metric {
    ($(#[doc = $doc:literal])* $type:ident { $($before:tt)* } named $name:literal { $($after:tt)* }) => {
        $(#[doc = $doc])*
        #[derive(crate::op::Attrs, Clone, Debug)]
        pub struct $type {
            $($before)*
            /// The name under which the value is told.
            #[attr(id = 1, default = $name)]
            pub name: String,
            /// Names of the predictions that count, where updates name them; all if absent.
            #[attr(id = 2)]
            pub output_names: Option<Vec<String>>,
            /// Names of the labels that count, where updates name them; all if absent.
            #[attr(id = 3)]
            pub label_names: Option<Vec<String>>,
            $($after)*
        }
    };
    (@heading) => {
        fn heading(&self) -> crate::metric::Heading<'_> {
            crate::metric::Heading {
                name: self.name.clone(),
                output_names: self.output_names.as_deref(),
                label_names: self.label_names.as_deref(),
            }
        }
    };
}
use metric;

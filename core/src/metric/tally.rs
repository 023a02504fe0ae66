//! What metrics sum up, and how: one tally since the last reset of either kind, one since the last full one.

use super::moments::Moments;
use super::{Metric, NamedArrays, Values};
use crate::engine::{self, Resource, Var};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::ndarray::observe::{Elements, observe};
use crate::op::attrs::AttrSchema;
use crate::op::{AttrValue, Attrs};
use crate::shape::Shape;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of the batches so far. A metric uses what it needs.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Sum of what is averaged.
    pub sum: f64,
    /// By what it is divided.
    pub count: f64,
    /// How often a class was predicted, first, for one that is true, second.
    pub classes: BTreeMap<(i64, i64), f64>,
    /// Moments of predictions and labels.
    pub moments: Moments,
}

impl Tally {
    /// A sum and its count.
    pub fn new(sum: f64, count: f64) -> Tally {
        Tally { sum, count, ..Tally::default() }
    }

    fn merge(&mut self, part: &Tally) {
        self.sum += part.sum;
        self.count += part.count;
        for (pair, n) in &part.classes {
            *self.classes.entry(*pair).or_default() += n;
        }
        self.moments.merge(&part.moments);
    }
}

/// The attributes that all metrics have.
pub struct Heading<'a> {
    /// The name under which the value is told.
    pub name: String,
    /// The predictions that count.
    pub output_names: Option<&'a [String]>,
    /// The labels that count.
    pub label_names: Option<&'a [String]>,
}

/// What a pair of label and prediction adds, and what the value is.
pub trait Measure: Attrs + Clone + Send + Sync + 'static {
    /// Name in messages.
    const NAME: &'static str;

    /// False if labels are not looked at.
    const READS_LABELS: bool = true;

    /// The attributes that all metrics have.
    fn heading(&self) -> Heading<'_>;

    /// Refuses shapes that do not go together.
    ///
    /// # Errors
    /// `Shape`, about `labels` or `preds`.
    fn accepts(&self, label: &Shape, pred: &Shape) -> Result<()>;

    /// What a pair adds. Without [`Measure::READS_LABELS`], `label` is the prediction.
    ///
    /// # Errors
    /// About elements that cannot be taken in.
    fn measure(&self, label: &Elements, pred: &Elements) -> Result<Tally>;

    /// The value of all pairs together.
    fn value(&self, all: &Tally) -> f64 {
        all.sum / all.count
    }

    /// True if [`Measure::value`] is that of a sum and a count alone.
    fn is_quotient(&self) -> bool {
        true
    }

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// `InvalidValue`, about the attribute.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A tally that operations of the engine add to.
struct Bin {
    var: Var,
    tally: Mutex<Tally>,
}

impl Bin {
    fn new() -> Arc<Bin> {
        Arc::new(Bin { var: Var::new(), tally: Mutex::new(Tally::default()) })
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resource for Bin {
    fn var(&self) -> &Var {
        &self.var
    }
}

/// A measure with its tallies.
pub struct Tallied<M> {
    measure: M,
    local: Arc<Bin>,
    global: Arc<Bin>,
}

impl<M: Measure> Tallied<M> {
    fn add_pair(&self, label: &NdArray, pred: &NdArray) -> Result<()> {
        self.measure.accepts(label.shape()?, pred.shape()?)?;
        let (measure, local, global) = (self.measure.clone(), self.local.clone(), self.global.clone());
        let writes: [Arc<dyn Resource>; 2] = [local.clone(), global.clone()];
        observe(&[label.clone(), pred.clone()], writes.into_iter().collect(), M::NAME, move |elements| {
            let part = measure.measure(&elements[0], &elements[1])?;
            local.lock().merge(&part);
            global.lock().merge(&part);
            Ok(())
        })
    }

    fn told(&self, bin: &Bin) -> Result<Values> {
        engine::wait_read(bin, None)?;
        let tally = bin.lock();
        let value = if tally.count == 0.0 { f64::NAN } else { self.measure.value(&tally) };
        Ok(vec![(self.measure.heading().name, value)])
    }
}

/// The arrays of these names, or all.
fn chosen(arrays: &NamedArrays, names: Option<&[String]>, argument: &str) -> Result<Vec<NdArray>> {
    let Some(names) = names else { return Ok(arrays.iter().map(|(_, a)| (*a).clone()).collect()) };
    let find = |name: &String| {
        let found = arrays.iter().find(|(n, _)| n == name);
        found.map(|(_, a)| (*a).clone()).ok_or_else(|| {
            let have: Vec<&str> = arrays.iter().map(|(n, _)| *n).collect();
            crate::err!(NotFound, "there is no '{name}' among {}", have.join(", ")).about(argument)
        })
    };
    names.iter().map(find).collect()
}

impl<M: Measure> Metric for Tallied<M> {
    fn update(&mut self, labels: &[NdArray], preds: &[NdArray]) -> Result<()> {
        if !M::READS_LABELS {
            return preds.iter().try_for_each(|p| self.add_pair(p, p)).map_err(|e| e.in_operator(M::NAME));
        }
        if labels.len() != preds.len() {
            return Err(crate::err!(
                InvalidValue,
                "expected as many labels as predictions, got {} and {}",
                labels.len(),
                preds.len()
            )
            .about("labels")
            .in_operator(M::NAME));
        }
        let mut pairs = labels.iter().zip(preds);
        pairs.try_for_each(|(l, p)| self.add_pair(l, p)).map_err(|e| e.in_operator(M::NAME))
    }

    fn update_named(&mut self, labels: &NamedArrays, preds: &NamedArrays) -> Result<()> {
        let heading = self.measure.heading();
        let labels =
            chosen(labels, heading.label_names, "label_names").map_err(|e| e.in_operator(M::NAME))?;
        let preds =
            chosen(preds, heading.output_names, "output_names").map_err(|e| e.in_operator(M::NAME))?;
        self.update(&labels, &preds)
    }

    fn add(&mut self, sum: f64, count: f64) -> Result<()> {
        if !self.measure.is_quotient() {
            let e = crate::err!(Unsupported, "its value does not follow from a sum and a count");
            return Err(e.in_operator(M::NAME));
        }
        let part = Tally::new(sum, count);
        self.local.lock().merge(&part);
        self.global.lock().merge(&part);
        Ok(())
    }

    fn reset(&mut self) {
        (self.local, self.global) = (Bin::new(), Bin::new());
    }

    fn reset_local(&mut self) {
        self.local = Bin::new();
    }

    fn get(&self) -> Result<Values> {
        self.told(&self.local)
    }

    fn get_global(&self) -> Result<Values> {
        self.told(&self.global)
    }

    fn check(&self) -> Result<()> {
        self.measure.check()
    }
}

impl<M: Measure> Attrs for Tallied<M> {
    const DOC: &'static str = M::DOC;
    fn schema() -> Vec<AttrSchema> {
        M::schema()
    }
    fn from_values(values: &[(u32, AttrValue)]) -> Result<Self> {
        Ok(Tallied { measure: M::from_values(values)?, local: Bin::new(), global: Bin::new() })
    }
    fn to_values(&self) -> Vec<AttrValue> {
        self.measure.to_values()
    }
}

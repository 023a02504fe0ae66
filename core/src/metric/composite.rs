//! Several metrics as one.

use super::{Metric, NamedArrays, SharedMetric, Values, shared};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::attrs::AttrSchema;
use crate::op::{AttrValue, Attrs};
use std::sync::PoisonError;

/// Several metrics, each of which takes in every batch and tells its own value.
#[derive(Attrs, Clone, Debug)]
struct Parts {
    /// Names of metrics, which are made with the defaults of their attributes. More can be added later.
    #[attr(id = 10)]
    metrics: Option<Vec<String>>,
    /// The name of the whole.
    #[attr(id = 1, default = "composite")]
    name: String,
    /// Names of the predictions that the metrics see, where updates name them; all if absent.
    #[attr(id = 2)]
    output_names: Option<Vec<String>>,
    /// Names of the labels that the metrics see, where updates name them; all if absent.
    #[attr(id = 3)]
    label_names: Option<Vec<String>>,
}

/// Several metrics as one.
pub struct Composite {
    attrs: Parts,
    parts: Vec<SharedMetric>,
}

impl Composite {
    fn each(&self, mut f: impl FnMut(&mut dyn Metric) -> Result<()>) -> Result<()> {
        let mut parts = self.parts.iter();
        parts.try_for_each(|part| f(&mut **part.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn told(&self, tell: impl Fn(&dyn Metric) -> Result<Values>) -> Result<Values> {
        let mut all = vec![];
        self.each(|part| {
            all.extend(tell(part)?);
            Ok(())
        })?;
        Ok(all)
    }
}

impl Metric for Composite {
    fn update(&mut self, labels: &[NdArray], preds: &[NdArray]) -> Result<()> {
        self.each(|part| part.update(labels, preds))
    }

    fn update_named(&mut self, labels: &NamedArrays, preds: &NamedArrays) -> Result<()> {
        let seen = |arrays: &NamedArrays<'_>, names: &Option<Vec<String>>| -> Vec<usize> {
            let wanted = |n: &str| names.as_ref().is_none_or(|names| names.iter().any(|m| m == n));
            (0..arrays.len()).filter(|i| wanted(arrays[*i].0)).collect()
        };
        let labels: Vec<_> = seen(labels, &self.attrs.label_names).into_iter().map(|i| labels[i]).collect();
        let preds: Vec<_> = seen(preds, &self.attrs.output_names).into_iter().map(|i| preds[i]).collect();
        self.each(|part| part.update_named(&labels, &preds))
    }

    fn add(&mut self, _sum: f64, _count: f64) -> Result<()> {
        crate::bail!(Unsupported, "a composite metric has no sum of its own")
    }

    fn reset(&mut self) {
        let _ = self.each(|part| {
            part.reset();
            Ok(())
        });
    }

    fn reset_local(&mut self) {
        let _ = self.each(|part| {
            part.reset_local();
            Ok(())
        });
    }

    fn get(&self) -> Result<Values> {
        self.told(|part| part.get())
    }

    fn get_global(&self) -> Result<Values> {
        self.told(|part| part.get_global())
    }

    fn parts(&self) -> &[SharedMetric] {
        &self.parts
    }

    fn push(&mut self, part: SharedMetric) -> Result<()> {
        self.parts.push(part);
        Ok(())
    }
}

impl Attrs for Composite {
    const DOC: &'static str = Parts::DOC;
    fn schema() -> Vec<AttrSchema> {
        Parts::schema()
    }
    fn from_values(values: &[(u32, AttrValue)]) -> Result<Self> {
        let attrs = Parts::from_values(values)?;
        let parts = attrs.metrics.iter().flatten().map(|name| shared(name)).collect::<Result<_>>()?;
        Ok(Composite { attrs, parts })
    }
    fn to_values(&self) -> Vec<AttrValue> {
        self.attrs.to_values()
    }
}

//! A store in this process.

use super::compress::{Compression, Residuals};
use super::{Key, KvStore, Update};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::attrs::AttrSchema;
use crate::op::invoke::copy_to;
use crate::op::{AttrValue, Attrs, Call, Req, invoke, registry};
use crate::ops::elemwise::AddN;
use crate::optim::{SharedOptimizer, Updater};
use std::collections::HashMap;

/// A parameter server in this process, which sums gradients over devices. `DEVICE` says that it is called `device`
/// and may compress what is pushed.
#[derive(Default)]
pub struct Store<const DEVICE: bool> {
    values: HashMap<Key, NdArray>,
    /// The keys in the order in which they came: saved states of an optimizer know them by it.
    keys: Vec<Key>,
    update: How,
    compression: Option<Box<dyn Compression>>,
    residuals: Residuals,
}

/// How a push changes the stored value.
#[derive(Default)]
enum How {
    /// The sum takes its place.
    #[default]
    Replace,
    /// An optimizer does; it knows keys by the numbers in the map.
    Optimizer(Updater, HashMap<Key, i64>),
    /// A function does.
    Function(Update),
}

/// Attributes of a store: none.
#[derive(Attrs, Clone, Debug)]
struct Local;

impl<const DEVICE: bool> Attrs for Store<DEVICE> {
    const DOC: &'static str = if DEVICE {
        "Values in this process; gradients are summed on the devices that made them."
    } else {
        "Values in this process; gradients are summed in main memory."
    };
    fn schema() -> Vec<AttrSchema> {
        Local::schema()
    }
    fn from_values(_values: &[(u32, AttrValue)]) -> Result<Self> {
        Ok(Store::default())
    }
    fn to_values(&self) -> Vec<AttrValue> {
        vec![]
    }
}

impl<const DEVICE: bool> Store<DEVICE> {
    fn stored(&self, key: &Key) -> Result<&NdArray> {
        self.values
            .get(key)
            .ok_or_else(|| crate::err!(NotFound, "the key {key} has no value: init it first").about("key"))
    }

    /// The sum of values that fit `like`, on its device.
    fn sum(&mut self, key: &Key, values: &[NdArray], like: &NdArray) -> Result<NdArray> {
        let mut terms = Vec::with_capacity(values.len());
        for (i, value) in values.iter().enumerate() {
            fits(value, like)?;
            let value = match &self.compression {
                Some(compression) => self.residuals.compressed(key, i, value, &**compression)?,
                None => value.clone(),
            };
            terms.push(on_device_of(&value, like)?);
        }
        match &terms[..] {
            [] => Err(crate::err!(InvalidValue, "expected at least one value, got none").about("values")),
            [one] => Ok(one.clone()),
            _ => {
                let out = NdArray::empty(like.shape()?.clone(), like.dtype(), like.device())?;
                let to = [Some((out.clone(), Req::Write))];
                invoke(
                    &registry().op(AddN { num_args: Some(terms.len() as i64) }),
                    &terms,
                    &to,
                    &Call::default(),
                )?;
                Ok(out)
            }
        }
    }
}

/// Refuses an array of another type than a stored one.
fn fits(array: &NdArray, stored: &NdArray) -> Result<()> {
    if array.shape()? != stored.shape()? {
        return Err(
            crate::err!(Shape, "expected shape {}, got {}", stored.shape()?, array.shape()?).about("values")
        );
    }
    if array.dtype() != stored.dtype() {
        return Err(
            crate::err!(DType, "expected dtype {}, got {}", stored.dtype(), array.dtype()).about("values")
        );
    }
    Ok(())
}

/// The number by which an optimizer knows a key.
fn index_of(updater: &Updater, key: &Key) -> i64 {
    match key {
        Key::Int(i) => *i,
        Key::Name(name) => updater.optimizer().index_of(name),
    }
}

/// The array itself, or a copy where another one is.
fn on_device_of(array: &NdArray, like: &NdArray) -> Result<NdArray> {
    if array.device() == like.device() {
        return Ok(array.clone());
    }
    let copy = NdArray::empty(array.shape()?.clone(), array.dtype(), like.device())?;
    copy_to(array, &copy)?;
    Ok(copy)
}

impl<const DEVICE: bool> KvStore for Store<DEVICE> {
    fn kind(&self) -> &'static str {
        if DEVICE { "device" } else { "local" }
    }

    fn init(&mut self, key: Key, value: &NdArray) -> Result<()> {
        if self.values.contains_key(&key) {
            return Err(crate::err!(InvalidValue, "the key {key} has a value already").about("key"));
        }
        let form = |k: &Key| matches!(k, Key::Int(_));
        if self.values.keys().next().is_some_and(|k| form(k) != form(&key)) {
            let e = crate::err!(InvalidType, "expected a key of the form of those before it, got {key}");
            return Err(e.about("key"));
        }
        let copy = NdArray::empty(value.shape()?.clone(), value.dtype(), value.device())?;
        copy_to(value, &copy)?;
        if let How::Optimizer(updater, indices) = &mut self.update {
            indices.insert(key.clone(), index_of(updater, &key));
        }
        self.keys.push(key.clone());
        self.values.insert(key, copy);
        Ok(())
    }

    fn push(&mut self, key: &Key, values: &[NdArray]) -> Result<()> {
        let stored = self.stored(key)?.clone();
        let sum = self.sum(key, values, &stored)?;
        match &mut self.update {
            How::Replace => copy_to(&sum, &stored),
            How::Function(update) => update(key, &sum, &stored),
            How::Optimizer(updater, indices) => updater.update(indices[key], &sum, &stored),
        }
    }

    fn pull(&self, key: &Key, out: &[NdArray]) -> Result<()> {
        let stored = self.stored(key)?;
        out.iter().try_for_each(|array| copy_to(stored, array)).map_err(|e| e.about("out"))
    }

    fn set_optimizer(&mut self, optimizer: SharedOptimizer) {
        let updater = Updater::new(optimizer);
        let indices = self.keys.iter().map(|key| (key.clone(), index_of(&updater, key))).collect();
        self.update = How::Optimizer(updater, indices);
    }

    fn set_update(&mut self, update: Option<Update>) {
        self.update = update.map_or(How::Replace, How::Function);
    }

    fn optimizer_states(&self) -> Result<Vec<u8>> {
        match &self.update {
            How::Optimizer(updater, _) => updater.to_bytes(),
            _ => crate::bail!(InvalidValue, "the store has no optimizer: set one first"),
        }
    }

    fn set_optimizer_states(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.update {
            How::Optimizer(updater, _) => updater.set_bytes(bytes),
            _ => crate::bail!(InvalidValue, "the store has no optimizer: set one first"),
        }
    }

    fn set_compression(&mut self, compression: Box<dyn Compression>) -> Result<()> {
        if !DEVICE {
            crate::bail!(Unsupported, "a store 'local' does not compress gradients: use 'device'");
        }
        self.compression = Some(compression);
        Ok(())
    }
}

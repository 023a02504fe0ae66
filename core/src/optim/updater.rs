//! Optimizers with the states of all parameters, which can be saved.

use super::optimizer::{Optimizer, State};
use crate::dtype::Element;
use crate::error::Result;
use crate::format::{RawTensor, ndarray_list};
use crate::ndarray::NdArray;
use crate::{DType, Device, Shape};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An optimizer that the caller keeps too, and that updaters may share.
pub type SharedOptimizer = Arc<Mutex<Optimizer>>;

/// An optimizer and the states of the parameters that it has seen.
pub struct Updater {
    optimizer: SharedOptimizer,
    states: BTreeMap<i64, State>,
}

/// Names of entries that are not states.
const COUNTS: &str = "counts";
const NUMBERS: &str = "numbers";
const MASTER: &str = "master";

impl Updater {
    /// An updater without states.
    pub fn new(optimizer: SharedOptimizer) -> Updater {
        Updater { optimizer, states: BTreeMap::new() }
    }

    /// The optimizer.
    pub fn optimizer(&self) -> MutexGuard<'_, Optimizer> {
        self.optimizer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a weight by its gradient; its state is made with the first call.
    ///
    /// # Errors
    /// Those of [`Optimizer::update`].
    pub fn update(&mut self, index: i64, grad: &NdArray, weight: &NdArray) -> Result<()> {
        if !self.states.contains_key(&index) {
            let state = self.optimizer().create_state(weight)?;
            self.states.insert(index, state);
        }
        let state = self.states.get_mut(&index).expect("made above");
        for array in state.arrays.iter_mut().chain(&mut state.master) {
            if array.device() != weight.device() {
                *array = moved(array, weight.device())?;
            }
        }
        let state = &self.states[&index];
        self.optimizer().update(index, weight, grad, state)
    }

    /// The parameters that have a state, in order.
    pub fn indices(&self) -> impl Iterator<Item = i64> + '_ {
        self.states.keys().copied()
    }

    /// The state of a parameter, if it has one.
    pub fn state(&self, index: i64) -> Option<&State> {
        self.states.get(&index)
    }

    /// Gives a parameter a state, in the order of [`State::to_arrays`].
    ///
    /// # Errors
    /// As [`Optimizer::state`].
    pub fn set_state(&mut self, index: i64, arrays: Vec<NdArray>) -> Result<()> {
        let state = self.optimizer().state(arrays)?;
        self.states.insert(index, state);
        Ok(())
    }

    /// All states and counts as bytes: a list of named arrays in MXNet's format. Waits for them.
    ///
    /// # Errors
    /// The error of an operation that should have made a state.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut entries = vec![];
        for (index, state) in &self.states {
            // A parameter without states must be known too.
            entries.push((Some(format!("{index}")), number_list::<i64>(&[state.arrays.len() as i64])));
            for (i, array) in state.arrays.iter().enumerate() {
                entries.push((Some(format!("{index}.{i}")), raw(array)?));
            }
            if let Some(master) = &state.master {
                entries.push((Some(format!("{index}.{MASTER}")), raw(master)?));
            }
        }
        let mut optimizer = self.optimizer();
        let counts =
            optimizer.counts.iter().flat_map(|((device, index), n)| [i64::from(*device), *index, *n]);
        let counts: Vec<i64> = std::iter::once(optimizer.num_update).chain(counts).collect();
        entries.push((Some(COUNTS.into()), number_list(&counts)));
        let numbers = optimizer.rule().numbers();
        if !numbers.is_empty() {
            entries.push((Some(NUMBERS.into()), number_list(&numbers)));
        }
        ndarray_list::write(&entries)
    }

    /// Replaces all states and counts by those that [`Updater::to_bytes`] gave.
    ///
    /// # Errors
    /// `Format` for other bytes; nothing has changed then.
    pub fn set_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let (mut states, mut counts, mut numbers) = (BTreeMap::new(), vec![], vec![]);
        for (name, tensor) in ndarray_list::read(bytes)? {
            let name = name.unwrap_or_default();
            let bad = || crate::err!(Format, "an optimizer's states have no entry '{name}'");
            match (name.as_str(), name.split_once('.')) {
                (COUNTS, _) => counts = numbers_of::<i64>(&tensor)?,
                (NUMBERS, _) => numbers = numbers_of::<f64>(&tensor)?,
                (_, None) => {
                    let index = name.parse::<i64>().map_err(|_| bad())?;
                    states.insert(index, State { arrays: vec![], master: None });
                }
                (_, Some((index, part))) => {
                    let index = index.parse::<i64>().map_err(|_| bad())?;
                    let state = states.get_mut(&index).ok_or_else(bad)?;
                    let array = array_of(&tensor)?;
                    if part == MASTER {
                        state.master = Some(array);
                    } else if part == state.arrays.len().to_string() {
                        state.arrays.push(array);
                    } else {
                        return Err(bad());
                    }
                }
            }
        }
        let Some((num_update, counts)) = counts.split_first().filter(|(_, c)| c.len() % 3 == 0) else {
            crate::bail!(Format, "an optimizer's states need an entry '{COUNTS}'");
        };
        let mut optimizer = self.optimizer();
        optimizer.num_update = *num_update;
        optimizer.counts = counts.chunks_exact(3).map(|c| ((c[0] as i32, c[1]), c[2])).collect();
        optimizer.rule().set_numbers(&numbers);
        drop(optimizer);
        self.states = states;
        Ok(())
    }
}

fn bytes_of(array: &NdArray) -> Result<Vec<u8>> {
    let mut bytes = vec![0; array.len()? * array.dtype().size()];
    array.copy_to_bytes(&mut bytes)?;
    Ok(bytes)
}

fn raw(array: &NdArray) -> Result<RawTensor> {
    Ok(RawTensor::dense(array.dtype(), array.shape()?.clone(), bytes_of(array)?))
}

fn array_of(tensor: &RawTensor) -> Result<NdArray> {
    let array = NdArray::empty(tensor.shape.clone(), tensor.dtype, Device::default())?;
    array.copy_from_bytes(&tensor.data)?;
    Ok(array)
}

fn moved(array: &NdArray, device: Device) -> Result<NdArray> {
    let copy = NdArray::empty(array.shape()?.clone(), array.dtype(), device)?;
    copy.copy_from_bytes(&bytes_of(array)?)?;
    Ok(copy)
}

/// A number whose bytes are what arrays hold of it.
trait Number: Element {
    fn bytes(self) -> [u8; 8];
    fn number(bytes: [u8; 8]) -> Self;
}

impl Number for i64 {
    fn bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }
    fn number(bytes: [u8; 8]) -> i64 {
        i64::from_le_bytes(bytes)
    }
}

impl Number for f64 {
    fn bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }
    fn number(bytes: [u8; 8]) -> f64 {
        f64::from_le_bytes(bytes)
    }
}

fn number_list<T: Number>(values: &[T]) -> RawTensor {
    let bytes = values.iter().flat_map(|v| v.bytes()).collect();
    RawTensor::dense(T::DTYPE, Shape::new(&[values.len() as i64]), bytes)
}

fn numbers_of<T: Number>(tensor: &RawTensor) -> Result<Vec<T>> {
    if tensor.dtype != T::DTYPE || !matches!(tensor.dtype, DType::I64 | DType::F64) {
        crate::bail!(Format, "expected numbers of {}, got {}", T::DTYPE, tensor.dtype);
    }
    let number = |b: &[u8]| T::number(b.try_into().expect("eight bytes"));
    Ok(tensor.data.chunks_exact(8).map(number).collect())
}

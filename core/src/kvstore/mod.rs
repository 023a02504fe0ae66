//! Stores of parameters by key: gradients of several devices are pushed, summed and applied, weights are pulled.
//!
//! `local` and `device` live in this process and give the same results; `device` may compress gradients. An
//! optimizer inside updates the stored value with each push; without one, the pushed sum takes its place. Names,
//! semantics and results are those of MXNet 1.9.1's `mx.kv`. Row-sparse arrays do not exist here.

mod compress;
mod store;

pub use compress::{Compression, TwoBit, compressions};
pub use store::Store;

use crate::error::Result;
use crate::ndarray::NdArray;
use crate::optim::SharedOptimizer;
use std::fmt;
use std::sync::{Arc, Mutex};

/// What a value is called. One store has keys of one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// By number.
    Int(i64),
    /// By name.
    Name(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Int(i) => write!(f, "{i}"),
            Key::Name(name) => write!(f, "'{name}'"),
        }
    }
}

/// Changes a stored value, second, by what was pushed, first. Runs on the thread that pushes.
pub type Update = Box<dyn FnMut(&Key, &NdArray, &NdArray) -> Result<()> + Send>;

/// A store of parameters.
pub trait KvStore: Send {
    /// The name by which it is made.
    fn kind(&self) -> &'static str;

    /// Number of this worker among those that share the store.
    fn rank(&self) -> i64 {
        0
    }

    /// Number of workers that share the store.
    fn num_workers(&self) -> i64 {
        1
    }

    /// Keeps a copy of a value under a new key.
    ///
    /// # Errors
    /// `InvalidValue` for a key that has a value, or of another form than those before it.
    fn init(&mut self, key: Key, value: &NdArray) -> Result<()>;

    /// Sums values, one of each device, and changes the stored one by the sum; without an optimizer or function for
    /// that, the sum takes its place.
    ///
    /// # Errors
    /// `NotFound` for a key without a value; `Shape` and `DType` for values that do not fit it; those of the update.
    fn push(&mut self, key: &Key, values: &[NdArray]) -> Result<()>;

    /// Copies the stored value to each array.
    ///
    /// # Errors
    /// As [`KvStore::push`].
    fn pull(&self, key: &Key, out: &[NdArray]) -> Result<()>;

    /// Pushes, and then pulls to other arrays.
    ///
    /// # Errors
    /// As [`KvStore::push`].
    fn pushpull(&mut self, key: &Key, values: &[NdArray], out: &[NdArray]) -> Result<()> {
        self.push(key, values)?;
        self.pull(key, out)
    }

    /// Keeps a copy of a value under a new key, and copies it to each array.
    ///
    /// # Errors
    /// As [`KvStore::init`] and [`KvStore::pull`].
    fn broadcast(&mut self, key: Key, value: &NdArray, out: &[NdArray]) -> Result<()> {
        self.init(key.clone(), value)?;
        self.pull(&key, out)
    }

    /// Updates stored values by an optimizer from now on, with new states. It finds the factors of a parameter by
    /// the name that is its key.
    fn set_optimizer(&mut self, optimizer: SharedOptimizer);

    /// Updates stored values by a function from now on; `None` lets sums take their place.
    fn set_update(&mut self, update: Option<Update>);

    /// The states of the optimizer as bytes. Waits for them.
    ///
    /// # Errors
    /// `InvalidValue` without an optimizer; as [`crate::optim::Updater::to_bytes`].
    fn optimizer_states(&self) -> Result<Vec<u8>>;

    /// Replaces the states of the optimizer by those of [`KvStore::optimizer_states`].
    ///
    /// # Errors
    /// `InvalidValue` without an optimizer; `Format` for other bytes.
    fn set_optimizer_states(&mut self, bytes: &[u8]) -> Result<()>;

    /// Compresses what is pushed from now on.
    ///
    /// # Errors
    /// `Unsupported` for a store that cannot.
    fn set_compression(&mut self, compression: Box<dyn Compression>) -> Result<()>;

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// None.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A store that several owners share.
pub type SharedKvStore = Arc<Mutex<Box<dyn KvStore>>>;

crate::registered_table! {
    /// Every store, by MXNet's names.
    pub fn kvstores() -> dyn KvStore = "kvstore" {
        Store<false> = "local" aliases ["local_update_cpu", "local_allreduce_cpu"],
        Store<true> = "device" aliases ["local_allreduce_device"],
    }
}

/// The store of this name.
///
/// # Errors
/// `NotFound` for an unknown one; `Unsupported` for one that spans processes or machines.
pub fn create(name: &str) -> Result<Box<dyn KvStore>> {
    let spans = ["dist", "nccl", "horovod", "byteps", "p3"];
    if spans.iter().any(|s| name.to_ascii_lowercase().starts_with(s)) {
        return Err(crate::err!(
            Unsupported,
            "stores that span processes are not here: expected 'local' or 'device', got '{name}'"
        )
        .about("name"));
    }
    kvstores().create(name, &[])
}

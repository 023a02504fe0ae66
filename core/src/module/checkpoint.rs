//! Checkpoints of modules: MXNet's files, and the states of the optimizer beside them.

use super::{Module, Names};
use crate::device::Device;
use crate::error::Result;
use crate::format::atomic;
use crate::model::{Model, checkpoint};
use std::path::PathBuf;

/// `PREFIX-symbol.json`, `PREFIX-0000.params`, `PREFIX-0000.states`.
fn files(prefix: &str, epoch: i64) -> [PathBuf; 3] {
    [
        format!("{prefix}-symbol.json").into(),
        format!("{prefix}-{epoch:04}.params").into(),
        format!("{prefix}-{epoch:04}.states").into(),
    ]
}

impl Module {
    /// A module of the symbol and the parameters of a checkpoint; with `states`, its optimizer goes on from the
    /// states that were saved.
    ///
    /// # Errors
    /// Those of [`checkpoint::load`] and [`Module::new`].
    pub fn load(
        prefix: &str,
        epoch: i64,
        states: bool,
        names: Names,
        devices: Vec<Device>,
    ) -> Result<Module> {
        let [symbol, params, states_file] = files(prefix, epoch);
        let model = checkpoint::load(&symbol, &params)?;
        let mut module = Module::new(model.symbol, names, devices)?;
        module.waiting = Some((model.arguments, model.auxiliary_states));
        module.initialized = true;
        if states {
            module.waiting_states = Some(atomic::read(states_file)?);
        }
        Ok(module)
    }

    /// Writes symbol and parameters, and with `states` the states of the optimizer. Returns the paths.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::init_params`]; `Io`.
    pub fn save_checkpoint(&self, prefix: &str, epoch: i64, states: bool) -> Result<Vec<PathBuf>> {
        let (arguments, auxiliary_states) = self.params()?;
        let bytes = if states { Some(self.optimizer_states()?) } else { None };
        let [symbol, params, states_file] = files(prefix, epoch);
        checkpoint::save(&Model::new(self.symbol.clone(), arguments, auxiliary_states)?, &symbol, &params)?;
        let mut written = vec![symbol, params];
        if let Some(bytes) = bytes {
            atomic::write(&states_file, &bytes)?;
            written.push(states_file);
        }
        Ok(written)
    }
}

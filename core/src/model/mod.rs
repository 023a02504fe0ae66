//! Models: a graph with its parameters and what it takes, in one file of mxr's own or in MXNet's two.
//!
//! [`native`] is the single file, which is opened without reading its arrays; [`checkpoint`] is MXNet's pair
//! of `-symbol.json` and `.params`. docs/formats.md describes both.

pub mod checkpoint;
pub mod native;

use crate::dtype::DType;
use crate::error::Result;
use crate::format::safetensors::Metadata;
use crate::graph::Symbol;
use crate::graph::symbol::Inputs;
use crate::ndarray::NdArray;
use crate::op::infer::merge_shapes;
use crate::shape::Shape;
use std::collections::{HashMap, HashSet};

/// Arrays with their names.
pub type Named = Vec<(String, NdArray)>;

/// A graph with its parameters.
#[derive(Clone, Debug)]
pub struct Model {
    /// The graph.
    pub symbol: Symbol,
    /// Parameters that no operator changes: weights. Those that the graph does not use are kept.
    pub arguments: Named,
    /// Parameters that an operator changes, as the moving mean of a batch normalisation.
    pub auxiliary_states: Named,
    /// What a user gives: the arguments of the graph that have no parameter.
    pub inputs: Vec<Input>,
    /// Texts of the user's own: names of classes, a licence, … Only a native file holds them.
    pub metadata: Metadata,
}

/// What a user gives to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Name of the variable.
    pub name: String,
    /// Shape as far as it is known: [`crate::shape::UNKNOWN`] stands for an axis of any size, none for any
    /// shape.
    pub shape: Option<Shape>,
    /// Element type.
    pub dtype: DType,
    /// True for what only training needs.
    pub label: bool,
}

/// The beginnings of the names of arrays in files.
const ARGUMENT: &str = "arg:";
const AUXILIARY_STATE: &str = "aux:";

impl Model {
    /// A model of a graph and its parameters; the inputs follow from both. Names that end in `label` are
    /// labels, as MXNet's modules take them.
    ///
    /// # Errors
    /// `NotFound` for auxiliary states without an array; `Shape` and `DType` for parameters that do not fit
    /// the graph.
    pub fn new(symbol: Symbol, arguments: Named, auxiliary_states: Named) -> Result<Model> {
        check_complete(&symbol, &auxiliary_states)?;
        let inputs = infer_inputs(&symbol, &arguments, &auxiliary_states)?;
        Ok(Model { symbol, arguments, auxiliary_states, inputs, metadata: Metadata::new() })
    }

    /// Says more of an input than the graph tells.
    ///
    /// # Errors
    /// `NotFound` if the model has no input of this name; `Shape` for a shape that contradicts the graph's.
    pub fn declare(&mut self, input: Input) -> Result<()> {
        let names: Vec<&str> = self.inputs.iter().map(|i| i.name.as_str()).collect();
        let expected = names.join(", ");
        let Some(known) = self.inputs.iter_mut().find(|i| i.name == input.name) else {
            return Err(crate::err!(NotFound, "expected one of the inputs {expected}").about(&input.name));
        };
        let shape = match (&known.shape, &input.shape) {
            (Some(a), Some(b)) => Some(merge_shapes(a, b).ok_or_else(|| {
                crate::err!(Shape, "expected a shape that fits {a}, got {b}").about(&input.name)
            })?),
            (a, b) => b.clone().or(a.clone()),
        };
        *known = Input { shape, ..input };
        Ok(())
    }

    /// A model of the arrays of a file. Their names begin with `arg:` and `aux:`.
    ///
    /// # Errors
    /// Those of [`Model::new`]; `Format` for other names.
    pub fn from_file_names(symbol: Symbol, arrays: Named) -> Result<Model> {
        let (arguments, auxiliary_states) = split(arrays)?;
        Model::new(symbol, arguments, auxiliary_states)
    }

    /// The arrays under their names in files.
    pub fn file_names(&self) -> impl Iterator<Item = (String, &NdArray)> {
        let arguments = self.arguments.iter().map(|(n, a)| (format!("{ARGUMENT}{n}"), a));
        let states = self.auxiliary_states.iter().map(|(n, a)| (format!("{AUXILIARY_STATE}{n}"), a));
        arguments.chain(states)
    }

    /// Names of the parameters that the graph does not use.
    pub fn unused(&self) -> Vec<&str> {
        let (arguments, states) = (self.symbol.list_arguments(), self.symbol.list_auxiliary_states());
        let unused = others(&self.arguments, arguments).chain(others(&self.auxiliary_states, states));
        unused.map(|(name, _)| name.as_str()).collect()
    }
}

/// The arrays with other names than these.
fn others(arrays: &Named, names: Vec<String>) -> impl Iterator<Item = &(String, NdArray)> {
    let names: HashSet<String> = names.into_iter().collect();
    arrays.iter().filter(move |(name, _)| !names.contains(name))
}

/// Takes `arg:` and `aux:` off the names.
fn split(arrays: Named) -> Result<(Named, Named)> {
    let (mut arguments, mut auxiliary_states) = (vec![], vec![]);
    for (name, array) in arrays {
        if let Some(name) = name.strip_prefix(ARGUMENT) {
            arguments.push((name.to_owned(), array));
        } else if let Some(name) = name.strip_prefix(AUXILIARY_STATE) {
            auxiliary_states.push((name.to_owned(), array));
        } else {
            return Err(crate::err!(Format, "expected a name that begins with 'arg:' or 'aux:'").about(&name));
        }
    }
    Ok((arguments, auxiliary_states))
}

/// Nobody gives auxiliary states: they must all be there.
fn check_complete(symbol: &Symbol, given: &Named) -> Result<()> {
    let given: HashSet<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
    let needed = symbol.list_auxiliary_states();
    let missing: Vec<&str> = needed.iter().map(String::as_str).filter(|n| !given.contains(n)).collect();
    if !missing.is_empty() {
        crate::bail!(NotFound, "the graph has auxiliary states without an array: {}", missing.join(", "));
    }
    Ok(())
}

fn infer_inputs(symbol: &Symbol, arguments: &Named, auxiliary_states: &Named) -> Result<Vec<Input>> {
    // An argument's array is among the arguments, a state's among the states.
    let mut known: HashMap<&str, &NdArray> = HashMap::new();
    for (arrays, names) in
        [(arguments, symbol.list_arguments()), (auxiliary_states, symbol.list_auxiliary_states())]
    {
        let names: HashSet<String> = names.into_iter().collect();
        known.extend(arrays.iter().filter(|(n, _)| names.contains(n)).map(|(n, a)| (n.as_str(), a)));
    }
    let shapes: Vec<(&str, Shape)> =
        known.iter().map(|(n, a)| Ok((*n, a.shape()?.clone()))).collect::<Result<_>>()?;
    let shapes = symbol.infer_shape(shapes)?.arguments;
    let dtypes = symbol.infer_type(known.iter().map(|(n, a)| (*n, a.dtype())))?.arguments;
    let variables = symbol.inputs(Inputs::Arguments).into_iter().zip(shapes.into_iter().zip(dtypes));
    // Variables of one name are one input.
    let mut seen = HashSet::new();
    let inputs =
        variables.filter(|(v, _)| !known.contains_key(v.name.as_str()) && seen.insert(v.name.clone()));
    Ok(inputs
        .map(|(v, (shape, dtype))| Input {
            name: v.name.clone(),
            shape,
            dtype: dtype.unwrap_or(DType::F32),
            label: v.name.ends_with("label"),
        })
        .collect())
}

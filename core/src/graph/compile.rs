//! The pipeline: from a symbol to a plan.

use super::gradient::differentiate;
use super::ir::{Graph, Type};
use super::lower::lower;
use super::memory::{self, Sharing};
use super::passes::{algorithm, common, constant, dead, fold, fuse, join, results, transpose};
use super::plan::{Plan, fixed_bytes};
use super::recompute::{self, Budget};
use super::symbol::Symbol;
use super::verify::verify_in_debug;
use crate::device::Device;
use crate::error::Result;
use crate::op::invoke::Req;

/// How to compile.
#[derive(Clone, Debug)]
pub struct Options {
    /// A model is being trained.
    pub training: bool,
    /// What to do with the gradient of each variable; none are made if empty.
    pub requests: Vec<Req>,
    /// How much memory activations may take; without it all that the backward pass reads is kept.
    pub budget: Option<Budget>,
    /// Without a budget: repeat what costs little.
    pub mirror: bool,
    /// Without a budget, where memory is shared: repeat cheap calls where that saves memory and takes next to nothing.
    pub spare: bool,
    /// For prediction, fold calls into others, which changes rounding: a batch normalisation into a convolution.
    pub fold: bool,
    /// For prediction, take faster algorithms that round differently: Winograd's for convolutions of 3 x 3.
    pub algorithms: bool,
    /// Simplify: constants, common subexpressions, transposes.
    pub simplify: bool,
    /// Fuse elementwise calls.
    pub fuse: bool,
    /// What memory may be shared.
    pub sharing: Sharing,
    /// Where it runs.
    pub device: Device,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            training: false,
            requests: vec![],
            budget: None,
            mirror: false,
            spare: true,
            fold: true,
            algorithms: true,
            simplify: true,
            fuse: true,
            sharing: Sharing { views: true, in_place: true, reuse: true },
            device: Device::default(),
        }
    }
}

/// Sees the graph after each pass, by the pass's name.
pub type Observer<'a> = &'a mut dyn FnMut(&str, &Graph);

/// Compiles a symbol whose variables, in the order of [`Symbol::inputs`], have these types. Nothing runs.
///
/// # Errors
/// Those of [`lower`] and [`differentiate`].
pub fn compile(symbol: &Symbol, types: &[Type], options: &Options) -> Result<Plan> {
    compile_observed(symbol, types, options, &mut |_, _| {})
}

/// [`compile`], showing the graph after each pass.
///
/// # Errors
/// As [`compile`].
pub fn compile_observed(symbol: &Symbol, types: &[Type], options: &Options, see: Observer) -> Result<Plan> {
    let mut graph = lower(symbol, types, options.training)?;
    let mut done = |graph: &Graph, pass: &str| {
        see(pass, graph);
        verify_in_debug(graph, pass)
    };
    done(&graph, "lower")?;
    if options.fuse {
        join::join(&mut graph);
        done(&graph, "joining")?;
    }
    differentiate(&mut graph, &options.requests)?;
    done(&graph, "gradient")?;
    dead::remove_dead(&mut graph);
    if !options.sharing.views {
        graph.nodes.iter_mut().for_each(|n| n.view_of = None);
    }
    done(&graph, "dead code")?;
    let mut choices = vec![];
    let listed = |(what, times): (String, usize)| format!("{what} ({times})");
    if options.fold {
        choices.extend(fold::fold(&mut graph)?.into_iter().map(listed));
        dead::remove_dead(&mut graph);
        done(&graph, "folding")?;
    }
    if options.algorithms {
        choices.extend(algorithm::choose_algorithms(&mut graph).into_iter().map(listed));
        done(&graph, "algorithms")?;
    }
    if options.simplify {
        common::share_common(&mut graph);
        done(&graph, "common subexpressions")?;
        constant::fold_constants(&mut graph)?;
        done(&graph, "constants")?;
        transpose::cancel_transposes(&mut graph);
        dead::remove_dead(&mut graph);
        done(&graph, "transposes")?;
    }
    let spares = |o: &Options| o.spare && o.sharing.reuse;
    let again = match options.budget {
        Some(budget) => {
            Some(recompute::meet(&graph, budget, fixed_bytes(&graph), options.sharing, options.fuse)?)
        }
        None => recompute::mirror(&graph, options.mirror)
            .or_else(|| spares(options).then(|| recompute::spare(&graph, options.sharing)).flatten()),
    };
    if let Some(again) = again {
        graph = again;
        dead::remove_dead(&mut graph);
        let repeated = graph.nodes.iter().filter(|n| n.again).count();
        choices.extend((repeated > 0).then(|| format!("calls repeated ({repeated})")));
        done(&graph, "recomputation")?;
    }
    if options.fuse {
        fuse::fuse_pointwise(&mut graph);
        done(&graph, "fusion")?;
    }
    results::own_results(&mut graph);
    results::shrink_unread(&mut graph);
    done(&graph, "results")?;
    let layout = memory::plan(&graph, options.sharing);
    Ok(Plan::new(&graph, &layout, options.device, choices))
}

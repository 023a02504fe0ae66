//! `cargo xtask gen`: writes everything that the operators' schema determines, or checks that it is written.

use crate::bail;
use crate::error::Result;

/// `gen [--check]`.
pub fn command(args: &[String]) -> Result {
    let _check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("gen takes no argument but --check"),
    };
    bail!("gen: there are no generators in this tree")
}

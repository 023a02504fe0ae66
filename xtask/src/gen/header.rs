//! `include/mxr.h`, by cbindgen.

use crate::error::{Context, Result};
use crate::paths;

/// The header's text.
pub fn text() -> Result<String> {
    let config = cbindgen::Config::from_file(paths::root().join("xtask/cbindgen.toml"))
        .map_err(crate::error::Error::new)?;
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_crate(paths::root().join("capi"))
        .generate()
        .context(|| "cbindgen")?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = String::from_utf8(text).context(|| "the header is not UTF-8")?;
    // DLPack's own types are declared in its header, which is included beside.
    Ok(text.replacen("#include <stdint.h>", "#include <stdint.h>\n#include \"dlpack.h\"", 1))
}

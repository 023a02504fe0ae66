#!/bin/sh
# Puts libmxr into the package: the one that MXR_LIBRARY names, or one that is built from the sources in src/rust,
# which takes Rust and no network. Makevars runs it.
set -e
cd "$(dirname "$0")/.."
mkdir -p inst/lib

if [ -n "$MXR_LIBRARY" ]; then
  echo "taking libmxr from $MXR_LIBRARY"
  rm -f inst/lib/libmxr.so
  cp "$MXR_LIBRARY" inst/lib/libmxr.so
  exit 0
fi

PATH="$PATH:$HOME/.cargo/bin"
if ! command -v cargo > /dev/null; then
  echo "mxr is built by Rust: install cargo (https://rustup.rs, or your system's package)," >&2
  echo "or set MXR_LIBRARY to the path of a libmxr.so" >&2
  exit 1
fi

cd src/rust
"${R_HOME}/bin/Rscript" -e 'utils::untar("vendor.tar.xz")'
cargo build --release --offline --locked --jobs 2 --package mxr-capi --target-dir target \
  --config 'source.crates-io.replace-with="vendored"' --config 'source.vendored.directory="vendor"'
cp target/release/libmxr.so ../../inst/lib/libmxr.so
rm -rf target vendor

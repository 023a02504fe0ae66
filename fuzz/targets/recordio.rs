//! See `mxr_fuzz::readers::recordio`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mxr_fuzz::{memory::Counting, readers};

#[global_allocator]
static COUNTING: Counting = Counting;

fuzz_target!(|bytes: &[u8]| readers::recordio(bytes));

//! What the fuzzer's targets and the test that replays their finds have in common.

pub mod memory;
pub mod readers;

//! How the engine is set up.

use super::ledger::Limits;

/// Which engine runs operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Every operation has ended when its call returns; for debugging.
    Naive,
    /// Large operations run on worker threads while the caller goes on.
    Threaded,
}

/// The settings of the engine. Results never depend on them.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Which engine runs operations.
    pub kind: EngineKind,
    /// Number of worker threads of the threaded engine.
    pub workers: usize,
    /// Number of operations that may be under way before a push waits.
    pub max_ops: usize,
    /// Bytes that the operations under way may need before a push waits; one operation may always run.
    pub max_bytes: usize,
}

impl Config {
    /// The settings of the environment, with defaults for what is absent or not understood:
    ///
    /// - `MXR_ENGINE`: `naive` or `threaded`; else `MXNET_ENGINE_TYPE`: `NaiveEngine` or another of MXNet's names.
    /// - `MXR_ENGINE_WORKERS`: number of worker threads; two to four by default.
    /// - `MXR_ENGINE_OPS`, `MXR_ENGINE_BYTES`: bounds of the run-ahead; 1024 operations and 1 GiB by default.
    pub fn from_env() -> Config {
        let threads = crate::parallel::num_threads();
        Config {
            kind: kind(text("MXR_ENGINE").or_else(|| text("MXNET_ENGINE_TYPE")).as_deref()),
            workers: number("MXR_ENGINE_WORKERS").unwrap_or(threads.clamp(2, 4)).min(256),
            max_ops: number("MXR_ENGINE_OPS").unwrap_or(1024),
            max_bytes: number("MXR_ENGINE_BYTES").unwrap_or(1 << 30),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        Limits { ops: self.max_ops.max(1), bytes: self.max_bytes }
    }
}

fn kind(name: Option<&str>) -> EngineKind {
    match name {
        Some("naive" | "naiveengine") => EngineKind::Naive,
        _ => EngineKind::Threaded,
    }
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|v| v.trim().to_ascii_lowercase()).filter(|v| !v.is_empty())
}

fn number(name: &str) -> Option<usize> {
    text(name)?.parse().ok().filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_known_by_both_names() {
        assert_eq!(kind(Some("naive")), EngineKind::Naive);
        assert_eq!(kind(Some("naiveengine")), EngineKind::Naive);
        assert_eq!(kind(Some("threadedengineperdevice")), EngineKind::Threaded);
        assert_eq!(kind(None), EngineKind::Threaded);
    }
}

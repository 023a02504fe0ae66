//! `#[derive(Attrs)]`.

//! Bounds of request bodies.

/// How large request bodies may be.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bytes of an ordinary body; 1 MiB by default.
    pub small: usize,
    /// Bytes of a body with what a stage found; 32 MiB by default.
    pub output: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            small: 1 << 20,
            output: 32 << 20,
        }
    }
}

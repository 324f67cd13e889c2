//! Bounds of request bodies.

/// Upper bounds of request bodies, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bound of bodies in general; 1 MiB by default.
    pub small: usize,
    /// Bound of bodies with the output of a stage; 32 MiB by default.
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

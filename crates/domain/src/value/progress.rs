//! How much of a piece of work is done.

use serde::{Deserialize, Serialize};

use crate::value::number::{NonNegativeInt, Percent};
use crate::value::text::ProgressMessage;

/// How much of a stage is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The share that is done.
    pub percent: Percent,
    /// What the worker is doing now.
    pub message: Option<ProgressMessage>,
    /// Seconds the worker expects to need until the end of the stage.
    pub eta_seconds: Option<NonNegativeInt>,
}

impl Progress {
    /// The share that is done, without a message or an estimate.
    pub fn new(percent: Percent) -> Self {
        Self {
            percent,
            message: None,
            eta_seconds: None,
        }
    }
}

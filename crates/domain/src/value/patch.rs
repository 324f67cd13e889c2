//! Partial updates of nullable values.

use serde::{Deserialize, Deserializer};

/// A partial update of a nullable value. In JSON, an absent field keeps the value,
/// `null` clears it, anything else sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Does not change the value.
    #[default]
    Keep,
    /// Sets the value to null.
    Clear,
    /// Sets the value.
    Set(T),
}

impl<T> Patch<T> {
    /// Converts the value to be set, if any.
    pub fn try_map<U, E>(self, f: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(f(value)?),
        })
    }

    /// The value after the update.
    pub fn applied_to(&self, current: Option<&T>) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Keep => current.cloned(),
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        }
    }

    /// The value to be set, if any.
    pub fn new_value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            None => Self::Clear,
            Some(value) => Self::Set(value),
        })
    }
}

//! Types that every noun is made of; none of them depends on a noun.

pub(crate) mod invalid;
pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod page;
pub(crate) mod patch;
pub(crate) mod plain;
pub(crate) mod position;
pub(crate) mod progress;
pub(crate) mod string_enum;
pub(crate) mod text;
pub(crate) mod time_range;

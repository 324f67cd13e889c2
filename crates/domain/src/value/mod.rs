//! Types that every noun uses; none of them depends on a noun.

mod case;
mod invalid;
mod json;
mod number;
mod object_update;
mod page;
mod patch;
mod position;
pub(crate) mod storage_traits;
pub(crate) mod string_enum;
pub(crate) mod text;
mod time_range;

pub use case::fold_case;
pub use invalid::{FieldError, InField, Invalid};
pub use json::{JsonObject, MAX_JSON_DEPTH, json_memory, normalize_numbers};
pub use number::{
    AttemptTimeout, Decibels, FileSize, NonNegativeInt, Percent, Ratio, RetryAfter, Seconds,
    VideoDuration,
};
pub use object_update::ObjectUpdate;
pub use page::{Cursor, Direction, Page, PageLimit, PageRequest, Total};
pub use patch::Patch;
pub use position::assign_positions;
pub use storage_traits::{BoundedText, IdValue, JsonValue, NumberValue, TextValue};
pub use string_enum::ParseEnumError;
pub use text::{
    AgentName, ContentType, Filename, LongText, PipelineName, ProgressMessage, StorageKey, TaskId,
    WHITE_SPACE, WorkerName,
};
pub use time_range::{TimeRange, Window};

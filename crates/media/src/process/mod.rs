//! Child processes: confined, with limits on time and disk space, and cancellation.

mod cancellation;
mod confinement;
mod error;
mod line_buffer;
mod process_group;
mod run;
mod stderr_tail;
mod time_and_disk_limits;

pub use self::cancellation::{CancellationCallback, CancellationToken};
pub use self::confinement::Confinement;
pub use self::error::ChildError;
pub(crate) use self::line_buffer::LineBuffer;
pub use self::run::Program;
pub use self::time_and_disk_limits::Limits;

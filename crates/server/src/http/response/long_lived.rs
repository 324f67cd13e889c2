//! Responses that last, such as streams of events.

/// Marks a response that lasts until client or server ends it. It is counted when
/// it begins and logged when it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LongLived;

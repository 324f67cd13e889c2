//! The pages for people: data in, HTML out. No I/O, and no HTTP server.
//!
//! A page is a function from wire types of `lectern-api` to a text, with links relative to the
//! root of the service, so that it works below any path prefix. Texts are escaped by the
//! templates. Scripts are embedded [`assets`], because the policy under which pages are served
//! forbids inline ones; it has to allow the styles in the pages, [`assets::STYLES`], by their hashes.
//!
//! ```
//! use lectern_web::{Language, Message, PageHeader, message_page};
//!
//! let language = Language::preferred(["fr", "de", "en"]);
//! let message = Message {
//!     title: "Nicht da",
//!     text: "Die Aufnahme <b> gibt es nicht.",
//!     detail: None,
//! };
//! let page = message_page(language, 0, PageHeader::default(), message);
//! assert!(page.contains("<html lang=\"de\">"));
//! assert!(page.contains("Die Aufnahme &lt;b&gt; gibt es nicht."));
//! ```

pub mod assets;
mod display;
mod duration;
mod language;
mod layout;
mod operation;
mod operation_history;
mod operation_stages;
mod operation_words;
mod query;
mod recording;
mod recordings;
#[cfg(test)]
mod samples;
mod sign_in;
mod words;

pub use language::Language;
pub use layout::{Message, PageHeader, message_page};
pub use operation::{Operation, ServiceState, operation_page};
pub use operation_history::OperationHistory;
pub use query::PageQuery;
pub use recording::{ClipWithUrls, ReaderRights, Recording, TranscriptPart, recording_page};
pub use recordings::{Recordings, Uploads, recordings_page};
pub use sign_in::{sign_in_page, signed_out_page};
pub use words::Words;

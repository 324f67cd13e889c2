//! Subtitle and transcript files: WebVTT, `SubRip`, Whisper's JSON and plain text.
//! No I/O: readers turn bytes into [`Cue`]s, writers turn cues into text.
//!
//! ```
//! use lectern_domain::NewTranscriptSegment;
//! use lectern_formats::{Format, webvtt};
//!
//! let file = b"1\r\n00:00:01,500 --> 00:00:04,000\r\n<i>5 < 6</i>\r\n";
//! let cues = Format::Srt.read(file)?;
//! assert_eq!(cues[0].text.as_str(), "5 < 6");
//! assert_eq!(webvtt::write(&cues), "WEBVTT\n\n00:00:01.500 --> 00:00:04.000\n5 &lt; 6\n");
//!
//! let segment = NewTranscriptSegment::try_from(cues[0].clone())?;
//! assert_eq!((segment.time.start(), segment.time.end()), (1.5, 4.0));
//!
//! let error = Format::Srt.read(b"\nDear all,\n").unwrap_err();
//! assert_eq!(error.line, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Reading is lenient.** Readers accept any line ending, timestamps without hours or
//! with more than 99 hours, a decimal point or comma, and cues that are out of order,
//! empty or overlapping. A cue without text is dropped. A cue that ends before it starts is
//! kept with zero length, because its text may still be useful. Cues are returned
//! sorted by start; the sort is stable. White space in a text is kept, except in
//! Whisper's JSON.
//!
//! **Encoding.** Files are decoded as UTF-8, or as UTF-16 if they begin with the byte
//! order mark of UTF-16 or with an ASCII character in UTF-16. Subtitles that are neither
//! UTF-8 nor UTF-16 are decoded as windows-1252, as players do; a file in any other
//! charset has to be converted first. JSON is always Unicode. In UTF-8, a few invalid bytes become
//! U+FFFD, because speech recognizers cut characters in half. A NUL becomes U+FFFD in
//! every charset. Use [`Charset::decode`] if the charset is known.
//!
//! **Writing is strict.** A written file is read back without a change of any time or
//! character, except that line ends become LF. Each module lists what its format
//! cannot represent.
//!
//! **Times** are whole milliseconds in this crate and seconds in the domain; see
//! [`millis`] and [`seconds`].
//!
//! Reading takes time linear in the size of the input, for any input. The fuzz
//! targets in `fuzz/` look for counterexamples; see the README there.

mod accept;
mod charset;
mod cue;
mod error;
mod file_parts;
mod format;
mod html_references;
mod input_format;
pub mod json;
mod lines;
mod notes;
mod parsed_file;
pub mod plain_text;
mod rolling_captions;
mod speaker_names;
pub mod subrip;
mod time;
mod time_unit;
mod timing_line;
pub mod webvtt;
pub mod whisper_json;
mod word_grouping;

pub use accept::negotiate;
pub use charset::Charset;
pub use cue::{Cue, Word, clip_to};
pub use error::FormatError;
pub use file_parts::FileParts;
pub use format::{Format, UnknownFormat};
pub use input_format::InputFormat;
pub use notes::{Change, Notes};
pub use parsed_file::{ParsedFile, Transcript};
pub use time::{MAX_MILLIS, millis, seconds};

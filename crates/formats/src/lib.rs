//! Subtitles and transcripts as files: WebVTT, `SubRip`, Whisper's JSON and plain
//! text. No I/O: bytes in, [`Cue`]s out, and back.
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
//! **Reading is lenient.** Any line ending, hours that are missing or over 99, a
//! point or a comma, cues in any order, of no length or on top of each other. A
//! cue without text is dropped; one that ends before it starts is kept with no
//! length, because its text was said. What is left is sorted by its start; cues
//! that start together keep their order. Text is kept with its white space,
//! except in Whisper's JSON.
//!
//! **Bytes** are read as UTF-8, or as UTF-16 where a byte order mark says so or
//! the NUL beside a first letter of ASCII. Subtitles that can be neither are read
//! as windows-1252, as players do; those in another old charset come out with
//! the wrong letters, so convert them first. JSON is always Unicode. In what is
//! UTF-8 but for a few bytes, these become U+FFFD, as does NUL: recognizers cut
//! characters in half. Who knows the charset need not have it guessed, see
//! [`Charset::decode`].
//!
//! **Writing is strict**, and what was written is read back the same: texts to
//! the character (line ends become LF), times to the millisecond. Each module
//! says what its format cannot hold.
//!
//! **Times** are whole milliseconds here and seconds in the domain; see
//! [`millis`] and [`seconds`].
//!
//! Reading takes time in proportion to the input, whatever the input is. The
//! fuzz targets in `fuzz/` look for the contrary; see the README there.

mod accept;
mod charset;
mod cue;
mod error;
mod format;
pub mod plain_text;
pub mod subrip;
mod time;
mod timed_text;
pub mod webvtt;
pub mod whisper_json;

pub use accept::negotiate;
pub use charset::Charset;
pub use cue::{Cue, clip_to};
pub use error::FormatError;
pub use format::{Format, UnknownFormat};
pub use time::{MAX_MILLIS, millis, seconds};

//! Subtitle and transcript files. No I/O: readers turn bytes into [`Cue`]s, writers turn cues
//! into text.
//!
//! Read are WebVTT, `SubRip`, the JSON of speech recognizers, TTML, `SubStation` Alpha, SBV, LRC
//! and text with tabs ([`InputFormat`]); written are WebVTT, `SubRip`, Whisper's JSON and plain text ([`Format`]).
//!
//! ```
//! use lectern_domain::NewTranscriptSegment;
//! use lectern_formats::{Change, InputFormat, webvtt};
//!
//! let file = b"1\r\n00:00:01,500 --> 00:00:04,000\r\n<i>5 < 6</i>\r\n\r\n\
//!     2\r\n00:00:0x,000 --> 00:00:06,000\r\nlost\r\n";
//! let transcript = InputFormat::Srt.read(file)?.transcript(None)?;
//! assert_eq!(transcript.cues[0].text.as_str(), "5 < 6");
//! assert_eq!(transcript.notes.lines(Change::UnreadableTimes), [6]);
//! assert_eq!(
//!     webvtt::write(&transcript.cues),
//!     "WEBVTT\n\n00:00:01.500 --> 00:00:04.000\n5 &lt; 6\n"
//! );
//!
//! let segment = NewTranscriptSegment::try_from(transcript.cues[0].clone())?;
//! assert_eq!((segment.time.start(), segment.time.end()), (1.5, 4.0));
//!
//! let error = InputFormat::Srt.read(b"\nDear all,\n").unwrap_err();
//! assert_eq!(error.line, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Reading is lenient, and nothing is lost silently.** Readers accept any line ending,
//! timestamps without hours or with more than 99 hours, a decimal point or comma, and cues
//! that are out of order, empty or overlapping. What cannot be read is left out and counted in
//! [`Notes`] with its line; a file of which nothing can be read is an error. A cue without text
//! is dropped. A cue that ends before it starts is kept with zero length, because its text may
//! still be useful. Cues are returned sorted by start; the sort is stable.
//!
//! **A file becomes a transcript in two steps.** [`InputFormat::read`] reads the entries, and
//! [`ParsedFile::transcript`] makes cues of them: it ends entries without an end at the next
//! start, finds the unit of times that have none, joins words, removes the repeated lines of
//! captions that roll, and takes the names of speakers from texts (`Ada: …`). The second step
//! takes the length of the recording, if it is known. [`Transcript::within_recording`] then
//! leaves out what is after the end of the recording, and refuses a transcript of another one.
//!
//! **Encoding.** Files are decoded as UTF-8, or as UTF-16 if they begin with the byte
//! order mark of UTF-16 or with an ASCII character in UTF-16. XML may declare another charset.
//! The charset of a file that is none of these is detected; if it is not certain, the file is
//! refused. JSON is always Unicode. In UTF-8, a few invalid bytes become
//! U+FFFD, because speech recognizers cut characters in half. A NUL becomes U+FFFD in
//! every charset. Use [`InputFormat::read_in`] if the charset is known.
//!
//! **Writing is strict.** A written file is read back without a change of any time or
//! character, except that line ends become LF and blank lines inside a text are removed, at
//! which players would end the cue, and that subtitles show a cue of zero length for long enough
//! to be read, if there is room before the next one. Each module lists what its format cannot represent.
//!
//! **Times** are whole milliseconds in this crate and seconds in the domain; see
//! [`millis`] and [`seconds`].
//!
//! Reading takes time linear in the size of the input, for any input. A test bounds the
//! bytes that readers and writers allocate, and so copy; the fuzz targets in `fuzz/` look
//! for other counterexamples, see the README there.

mod accept;
mod charset;
mod cue;
mod entry;
mod error;
mod file_parts;
mod format;
mod html_references;
mod input_format;
pub mod json;
mod lines;
mod lrc;
mod notes;
mod parsed_file;
pub mod plain_text;
mod recording_fit;
mod repeated_captions;
mod sbv;
mod shown_time;
mod speaker_names;
pub mod subrip;
mod substation_alpha;
mod time;
mod time_unit;
mod timing_line;
mod tsv;
mod ttml;
mod unsupported;
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
pub use recording_fit::OtherRecording;
pub use time::{MAX_MILLIS, millis, seconds};

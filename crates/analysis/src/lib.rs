//! Analyses lecture recordings: silences, layout, content segments and clips.
//!
//! All functions are pure: they take data and return types of `lectern-domain`.
//! They do no I/O and use neither the clock nor random numbers, so the same
//! recording always gives the same result. Each module explains its algorithm
//! and cites its source where it implements a published one.
//!
//! | module | input | output |
//! |---|---|---|
//! | [`silence_region`] | ranges without sound, ranges without a picture | silence regions |
//! | [`chunking`] | silences | chunks for parallel speech recognition |
//! | [`layout_analysis`] | sampled frames | layout of screen and camera |
//! | [`hallucination`] | transcript, silences | text that nobody has spoken |
//! | [`chapter`] | chapters of a file | those that divide the recording |
//! | [`content_segment`] | transcript, silences, chapters | content segments with titles and importance |
//! | [`clip`] | content segments, transcript, silences | clips |
//!
//! From a transcript to clips:
//!
//! ```
//! use lectern_analysis::{
//!     ContentSegmentRef, TranscriptSegmentRef, clip, content_segment, silence_region,
//! };
//! use lectern_domain::{NewTranscriptSegment, TimeRange, VideoDuration};
//!
//! let segment = |start, end, text| NewTranscriptSegment::new(text, TimeRange::new(start, end)?);
//! let transcript = [
//!     segment(1.0, 12.0, "A fugue begins with a single voice, and that voice has the theme.")?,
//!     segment(12.5, 28.0, "Then the second voice enters with the theme, a fifth above.")?,
//! ];
//! let regions = silence_region::merge(&[(0.0, 1.0), (28.0, 30.0)], &[], &Default::default())?;
//! let silences =
//!     silence_region::audio_silences(regions.iter().map(|region| (region.time, region.silence_type)));
//!
//! let content_segments = content_segment::find(&transcript)?;
//! let content_segments: Vec<ContentSegmentRef> = content_segments.iter().map(Into::into).collect();
//! let transcript: Vec<TranscriptSegmentRef> = transcript.iter().map(Into::into).collect();
//! let duration = VideoDuration::new(30.0)?;
//! let clips =
//!     clip::select(&content_segments, &transcript, &silences, duration, &Default::default())?;
//! assert_eq!(clips[0].segment_index, Some(0));
//! assert_eq!(clips[0].clip.time, TimeRange::new(0.5, 28.5)?);
//! # Ok::<(), lectern_domain::Invalid>(())
//! ```

mod antecedent;
mod disfluency;
mod housekeeping;
mod language;
mod reference;
mod resumption;
mod segment_ref;
mod sentence;
mod term;
mod time_span;
mod truncate;

pub mod chapter;
pub mod chunking;
pub mod clip;
pub mod content_segment;
pub mod hallucination;
pub mod layout_analysis;
pub mod silence_region;

pub use segment_ref::{ContentSegmentRef, TranscriptSegmentRef};

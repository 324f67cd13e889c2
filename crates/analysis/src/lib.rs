//! What can be told of a lecture from its words, its silences and its pictures.
//!
//! Pure functions from data to the types of `lectern-domain`: no I/O, no clock,
//! no chance, so the same recording always gives the same clips. Where a rule
//! comes from a paper, the function says which.
//!
//! | module | what it tells | from |
//! |---|---|---|
//! | [`silences`] | where nothing is heard, seen, or both | silent and black ranges |
//! | [`chunks`] | pieces to recognize side by side | silences |
//! | [`layout`] | how screen and camera share the picture | sampled frames |
//! | [`topics`] | what the lecture is about, and how much each topic matters | the transcript |
//! | [`clips`] | what is worth cutting out | topics, transcript and silences |
//!
//! From a recording to its clips:
//!
//! ```
//! use lectern_analysis::{TranscriptSegmentRef, clips, silences, content_segment};
//! use lectern_domain::{NewTranscriptSegment, SpokenText, TimeRange, VideoDuration};
//!
//! let say = |start: f64, end: f64, text: &str| -> Result<_, lectern_domain::Invalid> {
//!     Ok(NewTranscriptSegment {
//!         time: TimeRange::new(start, end)?,
//!         text: SpokenText::new(text)?,
//!         confidence: None,
//!         speaker_id: None,
//!     })
//! };
//! let transcript = [
//!     say(1.0, 12.0, "A fugue begins with a single voice, and that voice has the theme.")?,
//!     say(12.5, 28.0, "Then the second voice enters with the theme, a fifth above.")?,
//! ];
//! let regions = silence_region::merge(&[(0.0, 1.0), (28.0, 30.0)], &[], &Default::default())?;
//! let quiet = silence_region::audio_silences(regions.iter().map(|region| (region.time, region.silence_type)));
//!
//! let topics = content_segment::find(&transcript)?;
//! let parts: Vec<ContentSegmentRef> = topics.iter().map(Into::into).collect();
//! let spoken: Vec<TranscriptSegmentRef> = transcript.iter().map(Into::into).collect();
//! let duration = VideoDuration::new(30.0)?;
//! let picked = clip::select(&parts, &spoken, &quiet, duration, &Default::default())?;
//! assert_eq!(picked[0].segment_index, Some(0));
//! assert_eq!(picked[0].clip.time, TimeRange::new(0.5, 29.0)?);
//! # Ok::<(), lectern_domain::Invalid>(())
//! ```

mod segment_ref;
mod span;
mod term;

pub mod chunking;
pub mod clip;
pub mod content_segment;
pub mod layout_analysis;
pub mod silence_region;

pub use segment_ref::{ContentSegmentRef, TranscriptSegmentRef};

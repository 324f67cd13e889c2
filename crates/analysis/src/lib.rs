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
//! use lectern_analysis::{Spoken, clips, silences, topics};
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
//! let regions = silences::merge(&[(0.0, 1.0), (28.0, 30.0)], &[], &Default::default())?;
//! let quiet = silences::quiet(regions.iter().map(|region| (region.time, region.silence_type)));
//!
//! let topics = topics::find(&transcript)?;
//! let parts: Vec<clips::Part> = topics.iter().map(Into::into).collect();
//! let spoken: Vec<Spoken> = transcript.iter().map(Into::into).collect();
//! let duration = VideoDuration::new(30.0)?;
//! let picked = clips::pick(&parts, &spoken, &quiet, duration, &Default::default())?;
//! assert_eq!(picked[0].part, Some(0));
//! assert_eq!(picked[0].clip.time, TimeRange::new(0.5, 29.0)?);
//! # Ok::<(), lectern_domain::Invalid>(())
//! ```

mod span;
mod spoken;
mod term;

pub mod chunks;
pub mod clips;
pub mod layout;
pub mod silences;
pub mod topics;

pub use spoken::Spoken;

//! Reading the chapters of a recording.

use serde::Deserialize;

use super::recording::MediaInfo;
use crate::error::ProbeError;
use crate::ffmpeg::Media;

/// A chapter as the file has it: it may overlap another one, have no length or lie outside the
/// recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    /// Start, in seconds from the start of the recording.
    pub start: f64,
    /// End, in seconds from the start of the recording. Where the file has only starts, the
    /// start of the next chapter.
    pub end: f64,
    /// The title, if there is one.
    pub title: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    chapters: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    start_time: Option<String>,
    end_time: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize, Default)]
struct Tags {
    title: Option<String>,
}

impl Media {
    /// Reads the chapters in the order of the file, in any container in which ffprobe finds them.
    ///
    /// # Errors
    ///
    /// ffprobe fails, or lists so many chapters that its output is longer than 16 MiB.
    pub fn chapters(&self, recording: &MediaInfo) -> Result<Vec<Chapter>, ProbeError> {
        let output = self
            .tools
            .ffprobe()
            .args(["-v", "error", "-of", "json=compact=1", "-show_entries"])
            .arg("chapter=start_time,end_time:chapter_tags=title")
            .args(self.input_options(&recording.path))
            .output(&self.limits)
            .map_err(ProbeError::Child)?;
        read(&output, recording.start)
    }
}

/// Reads ffprobe's output for a recording whose first timestamp is `start`. Chapters without
/// times are left out.
fn read(json: &[u8], start: f64) -> Result<Vec<Chapter>, ProbeError> {
    let output: Output = serde_json::from_slice(json)
        .map_err(|error| ProbeError::NotMedia(format!("cannot read ffprobe's output: {error}")))?;
    let time = |text: Option<String>| {
        let seconds: f64 = text?.parse().ok()?;
        seconds.is_finite().then_some(seconds - start)
    };
    let chapters = output.chapters.into_iter().filter_map(|entry| {
        Some(Chapter {
            start: time(entry.start_time)?,
            end: time(entry.end_time)?,
            title: entry.tags.title,
        })
    });
    Ok(chapters.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_to_the_start_of_the_recording() {
        let json = br#"{"chapters": [
            {"start_time": "1.5", "end_time": "N/A"},
            {"start_time": "1.5", "end_time": "3.0", "tags": {"title": "Erosion"}},
            {"start_time": "0.0", "end_time": "-1.0", "tags": {}}
        ]}"#;
        let chapter = |start, end, title: Option<&str>| Chapter {
            start,
            end,
            title: title.map(str::to_owned),
        };
        let expected = [
            chapter(0.5, 2.0, Some("Erosion")),
            chapter(-1.0, -2.0, None),
        ];
        assert_eq!(read(json, 1.0).unwrap(), expected);
        assert_eq!(read(b"{}", 1.0).unwrap(), []);
        assert!(read(b"nothing", 1.0).is_err());
    }
}

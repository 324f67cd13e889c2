//! Files that are written in parts, so that not all cues are in memory at once.

use crate::cue::{Cue, by_start};
use crate::format::Format;
use crate::shown_time::has_length;
use crate::{plain_text, subrip, webvtt};

/// Writes a file in parts. All parts together equal the result of [`Format::write`],
/// provided that no cue starts before a cue of an earlier part.
///
/// ```
/// use lectern_domain::SpokenText;
/// use lectern_formats::{Cue, Format, FileParts};
///
/// let cues = [0, 5_000, 6_000].map(|at| Cue::new(at, at + 900, SpokenText::new("Hm").unwrap()));
/// let mut parts = FileParts::new(Format::Srt).unwrap();
/// let file = parts.write(&cues[..1]) + &parts.write(&cues[1..]) + &parts.end();
/// assert_eq!(file, Format::Srt.write(&cues));
/// ```
#[derive(Debug, Clone)]
pub struct FileParts {
    file: File,
    /// The last cue, if it has no length: how long it is shown depends on the next part.
    held_back: Option<Cue>,
}

#[derive(Debug, Clone)]
enum File {
    Vtt { has_header: bool },
    Srt { written: usize },
    Text(plain_text::LastParagraph),
}

impl FileParts {
    /// `None` for Whisper's JSON, which is written as a whole.
    pub fn new(format: Format) -> Option<Self> {
        let file = match format {
            Format::Vtt => File::Vtt { has_header: false },
            Format::Srt => File::Srt { written: 0 },
            Format::Text => File::Text(plain_text::LastParagraph::default()),
            Format::WhisperJson => return None,
        };
        Some(Self {
            file,
            held_back: None,
        })
    }

    /// The next part of the file.
    pub fn write(&mut self, cues: &[Cue]) -> String {
        if let File::Text(paragraph) = &mut self.file {
            let mut part = String::new();
            plain_text::write_cues(&mut part, cues, paragraph);
            return part;
        }
        let first = self.held_back.take();
        let mut cues = by_start(cues);
        if let Some(first) = &first {
            cues.insert(0, first);
        }
        if let Some(last) = cues.pop_if(|last| !has_length(last)) {
            self.held_back = Some(last.clone());
        }
        // The time of what comes before the last cue depends on its start.
        let next_start = self.held_back.as_ref().map(Cue::start_ms);
        self.write_subtitles(&cues, next_start)
    }

    /// The end of the file, after the last part.
    pub fn end(&mut self) -> String {
        if let File::Text(paragraph) = &self.file {
            return paragraph.end().to_owned();
        }
        let last = self.held_back.take();
        match &last {
            Some(last) => self.write_subtitles(&[last], None),
            None => String::new(),
        }
    }

    fn write_subtitles(&mut self, cues: &[&Cue], next_start: Option<u64>) -> String {
        let mut part = String::new();
        match &mut self.file {
            File::Vtt { has_header } => {
                if !std::mem::replace(has_header, true) {
                    part.push_str(webvtt::HEADER);
                }
                webvtt::write_cues(&mut part, cues, next_start);
            }
            File::Srt { written } => {
                subrip::write_cues(&mut part, cues, next_start, *written);
                *written += cues.len();
            }
            File::Text(_) => {}
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::{SpeakerId, SpokenText};

    use super::*;

    #[test]
    fn parts_of_any_size_make_the_same_file() {
        let cue = |i: u64| {
            let text = SpokenText::new(format!("a --> b & {i}")).unwrap();
            let speaker = SpeakerId::new(format!("Ada {}", i / 4)).unwrap();
            let start = i * 700 + if i.is_multiple_of(3) { 2_500 } else { 0 };
            // Some have no length.
            let length = if i % 4 == 1 || i % 5 == 2 { 0 } else { 650 };
            Cue::new(start, start + length, text).with_speaker(Some(speaker))
        };
        let mut cues: Vec<_> = (0..20).map(cue).collect();
        cues.sort_by_key(Cue::start_ms);
        for format in [Format::Vtt, Format::Srt, Format::Text] {
            for length in [1, 3, 20] {
                let mut parts = FileParts::new(format).unwrap();
                let mut file: String = cues.chunks(length).map(|cues| parts.write(cues)).collect();
                file.push_str(&parts.end());
                assert_eq!(file, format.write(&cues), "{format} {length}");
            }
            let mut empty = FileParts::new(format).unwrap();
            assert_eq!(empty.write(&[]) + &empty.end(), format.write(&[]));
        }
    }
}

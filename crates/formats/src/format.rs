//! The formats and their names.

use std::fmt;
use std::str::FromStr;

use crate::cue::Cue;
use crate::{plain_text, subrip, webvtt, whisper_json};

/// A file format that cues are written in. [`InputFormat`](crate::InputFormat) lists those that
/// are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// WebVTT.
    Vtt,
    /// `SubRip`.
    Srt,
    /// Plain text for people; it cannot be read back.
    Text,
    /// Whisper's JSON.
    WhisperJson,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Vtt, Self::Srt, Self::Text, Self::WhisperJson];

    /// The name in queries, as in `?format=vtt`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vtt => "vtt",
            Self::Srt => "srt",
            Self::Text => "text",
            Self::WhisperJson => "whisper",
        }
    }

    /// The media type of a file, without parameters.
    pub fn media_type(self) -> &'static str {
        self.media_types()[0]
    }

    /// Every media type that a file may be declared as, in lower case and without
    /// parameters, the preferred one first.
    pub fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Vtt => &["text/vtt"],
            // No media type of SubRip is registered; all of these are in use.
            Self::Srt => &[
                "application/x-subrip",
                "application/srt",
                "text/srt",
                "text/x-srt",
            ],
            Self::Text => &["text/plain"],
            Self::WhisperJson => &["application/json"],
        }
    }

    /// The `Content-Type` of a file, with the charset where the media type does
    /// not imply UTF-8.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Vtt | Self::WhisperJson => self.media_type(),
            Self::Srt => "application/x-subrip; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// The file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Vtt => "vtt",
            Self::Srt => "srt",
            Self::Text => "txt",
            Self::WhisperJson => "json",
        }
    }

    /// The format of a media type; case and parameters are ignored.
    /// `application/json` gives [`Format::WhisperJson`].
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let media_type = media_type.split(';').next()?.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.media_types().contains(&media_type.as_str()))
    }

    /// The format of a file name, by its extension; case is ignored.
    pub fn from_filename(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        let matches = |format: &Self| format.extension().eq_ignore_ascii_case(extension);
        Self::ALL.into_iter().find(matches)
    }

    /// Writes a file of this format; see the module of the format.
    pub fn write(self, cues: &[Cue]) -> String {
        match self {
            Self::Vtt => webvtt::write(cues),
            Self::Srt => subrip::write(cues),
            Self::Text => plain_text::write(cues),
            Self::WhisperJson => whisper_json::write(cues),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is not the name of a [`Format`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {0:?}: expected vtt, srt, text or whisper")]
pub struct UnknownFormat(pub String);

/// Besides the names of [`Format::as_str`], accepts `txt` for plain text and `verbose_json`,
/// the name in OpenAI's API, for Whisper's JSON.
impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let name = match name {
            "txt" => "text",
            "verbose_json" => "whisper",
            name => name,
        };
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_found_by_name_media_type_and_extension() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
            let media_type = format!("{}; charset=utf-8", format.media_type().to_uppercase());
            assert_eq!(Format::from_media_type(&media_type), Some(format));
            let name = format!("Lecture 7.v2.{}", format.extension().to_uppercase());
            assert_eq!(Format::from_filename(&name), Some(format));
        }
        assert_eq!(Format::from_media_type("text/srt"), Some(Format::Srt));
        assert_eq!("txt".parse(), Ok(Format::Text));
        assert_eq!("verbose_json".parse(), Ok(Format::WhisperJson));
    }

    #[test]
    fn other_names_are_unknown() {
        let error = "VTT".parse::<Format>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown format \"VTT\": expected vtt, srt, text or whisper"
        );
        assert_eq!(Format::from_media_type("text/html"), None);
        assert_eq!(Format::from_media_type(""), None);
        assert_eq!(Format::from_filename("vtt"), None);
    }
}

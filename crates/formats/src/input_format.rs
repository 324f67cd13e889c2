//! The formats that are read, and how the format of a file is recognized.

use crate::charset::{self, Charset};
use crate::error::FormatError;
use crate::parsed_file::ParsedFile;
use crate::{json, lrc, sbv, subrip, substation_alpha, tsv, ttml, unsupported, webvtt};

/// Bytes for an entry, its cue and its words, besides its text.
const MEMORY_PER_ENTRY: usize = 416;

/// A format of transcripts and subtitles that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputFormat {
    /// WebVTT.
    Vtt,
    /// `SubRip`.
    Srt,
    /// The JSON of speech recognizers, or JSON lines.
    Json,
    /// TTML, or the XML of `YouTube`.
    Ttml,
    /// `SubStation` Alpha.
    Ass,
    /// The plain captions of `YouTube`.
    Sbv,
    /// Lines with starts, as for lyrics.
    Lrc,
    /// Text with tabs, as of Whisper and Audacity.
    Tsv,
}

impl InputFormat {
    /// Every format.
    pub const ALL: [Self; 8] = [
        Self::Vtt,
        Self::Srt,
        Self::Json,
        Self::Ttml,
        Self::Ass,
        Self::Sbv,
        Self::Lrc,
        Self::Tsv,
    ];

    /// The media types that a file may be declared as, in lower case and without parameters,
    /// the preferred one first. Only those of WebVTT, JSON, TTML and text with tabs are registered; the others
    /// are in use.
    pub fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Vtt => &["text/vtt"],
            Self::Srt => &[
                "application/x-subrip",
                "application/srt",
                "text/srt",
                "text/x-srt",
            ],
            Self::Json => &[
                "application/json",
                "application/jsonl",
                "application/x-ndjson",
                "application/jsonlines",
            ],
            Self::Ttml => &[
                "application/ttml+xml",
                "application/ttaf+xml",
                "application/xml",
                "text/xml",
            ],
            Self::Ass => &[
                "text/x-ssa",
                "text/x-ass",
                "application/x-ass",
                "application/x-ssa",
                "text/ass",
                "text/ssa",
            ],
            Self::Sbv => &["text/x-sbv", "application/x-sbv", "text/sbv"],
            Self::Lrc => &["text/x-lrc", "application/x-lrc", "text/lrc"],
            Self::Tsv => &["text/tab-separated-values"],
        }
    }

    /// The file name extensions, without the dot, the preferred one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Vtt => &["vtt"],
            Self::Srt => &["srt"],
            Self::Json => &["json", "json3", "jsonl"],
            Self::Ttml => &["ttml", "dfxp", "xml"],
            Self::Ass => &["ass", "ssa"],
            Self::Sbv => &["sbv"],
            Self::Lrc => &["lrc"],
            Self::Tsv => &["tsv"],
        }
    }

    /// The format of a media type; case and parameters are ignored.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let media_type = media_type.split(';').next()?.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.media_types().contains(&media_type.as_str()))
    }

    /// The format of a file name, by its extension; case is ignored.
    pub fn from_filename(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        let matches = |known: &&str| known.eq_ignore_ascii_case(extension);
        Self::ALL
            .into_iter()
            .find(|format| format.extensions().iter().any(matches))
    }

    /// The format of a file by its first characters. A file of no known format is taken for
    /// `SubRip`, which has no signature.
    pub fn of_content(bytes: &[u8]) -> Self {
        // Skips byte order marks and the zero bytes of UTF-16.
        let start = &bytes[..bytes.len().min(4_096)];
        let start: String = start
            .iter()
            .filter(|byte| byte.is_ascii() && **byte != 0)
            .map(|byte| char::from(*byte))
            .collect();
        let start = start.trim_start();
        let is_section = |name: &str| {
            let first = start.get(..name.len());
            first.is_some_and(|first| first.eq_ignore_ascii_case(name))
        };
        if start.starts_with("WEBVTT") {
            Self::Vtt
        } else if start.starts_with('<') {
            Self::Ttml
        } else if ["[script info]", "[v4", "[events]"]
            .into_iter()
            .any(is_section)
            || start.starts_with(';') && start.to_ascii_lowercase().contains("[script info]")
        {
            Self::Ass
        } else if lrc::detect(start) {
            Self::Lrc
        } else if start.starts_with(['{', '[']) {
            Self::Json
        } else if sbv::detect(start) {
            Self::Sbv
        } else if tsv::detect(start) {
            Self::Tsv
        } else {
            Self::Srt
        }
    }

    /// Reads a file whose charset is not declared outside of it.
    ///
    /// # Errors
    ///
    /// The file is not of this format, no cue in it can be read, or its charset is unknown.
    pub fn read(self, bytes: &[u8]) -> Result<ParsedFile, FormatError> {
        let text = match self {
            // JSON is Unicode by definition.
            Self::Json => Ok(charset::decode_unicode(bytes)),
            Self::Ttml => charset::decode_xml(bytes),
            _ => charset::decode(bytes),
        };
        let text = text.map_err(|error| self.explain(error, bytes, None))?;
        self.parse(&text)
            .map_err(|error| self.explain(error, bytes, Some(&text)))
    }

    /// Reads a file in a declared charset.
    ///
    /// # Errors
    ///
    /// As [`Self::read`], or the bytes are invalid in the charset.
    pub fn read_in(self, charset: Charset, bytes: &[u8]) -> Result<ParsedFile, FormatError> {
        let text = charset.decode(bytes)?;
        self.parse(&text)
            .map_err(|error| self.explain(error, bytes, Some(&text)))
    }

    fn explain(self, error: FormatError, bytes: &[u8], text: Option<&str>) -> FormatError {
        // Files of no known format are taken for SubRip.
        unsupported::explain(error, self != Self::Srt, bytes, text)
    }

    /// Upper bound of the memory that reading a file needs, for its text, its lines and its
    /// cues, in bytes.
    pub fn memory(self, bytes: &[u8]) -> usize {
        let count = |wanted: &[u8]| {
            bytes
                .windows(wanted.len())
                .filter(|part| *part == wanted)
                .count()
        };
        let entries = match self {
            Self::Json => count(b"{"),
            Self::Ttml => count(b"<") / 2 + 1,
            Self::Ass | Self::Sbv | Self::Tsv => line_ends(bytes) + 1,
            Self::Lrc => count(b"[") + count(b"<") + 1,
            Self::Vtt | Self::Srt => {
                // Each voice of a cue becomes a cue, and the end of a voice begins another.
                timing_lines(bytes) + count(b"<v") + count(b"</v")
            }
        };
        // WebVTT lists the lines twice, of 24 bytes each.
        3 * bytes.len() + 48 * line_ends(bytes) + MEMORY_PER_ENTRY * entries
    }

    fn parse(self, text: &str) -> Result<ParsedFile, FormatError> {
        let mut file = match self {
            Self::Vtt => webvtt::parse(text),
            Self::Srt => subrip::parse(text),
            Self::Json => json::parse(text),
            Self::Ttml => ttml::parse(text),
            Self::Ass => substation_alpha::parse(text),
            Self::Sbv => sbv::parse(text),
            Self::Lrc => lrc::parse(text),
            Self::Tsv => tsv::parse(text),
        }?;
        file.open_zero_lengths();
        Ok(file)
    }
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .filter(|byte| matches!(byte, b'\n' | b'\r'))
        .count()
}

/// Upper bound of the number of timing lines: lines with a colon and what may be an arrow.
fn timing_lines(bytes: &[u8]) -> usize {
    // UTF-16 is not searched for characters: a cue has two lines at least.
    if bytes.contains(&0) {
        return line_ends(bytes) / 2 + 1;
    }
    // A wide colon begins with 0xef in UTF-8; arrows and long dashes with 0xe2. Other charsets
    // are decoded before, or have ASCII arrows.
    let is_timing_line = |line: &[u8]| {
        line.iter().any(|byte| matches!(byte, b':' | 0xef))
            && line
                .iter()
                .any(|byte| matches!(byte, b'>' | b'-' | 0xe2 | 0xef | b'&'))
    };
    bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| is_timing_line(line))
        .count()
}

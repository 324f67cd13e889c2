//! What the name of a file beside a recording says.

use lectern_domain::{LanguageTag, recording_media_type};

/// Extensions of sidecar files, the format with the most information first.
pub const EXTENSIONS: [&str; 11] = [
    "json", "vtt", "ttml", "dfxp", "ass", "ssa", "srt", "sbv", "lrc", "tsv", "json3",
];

/// Whether files with this extension are often something other than a transcript.
pub(crate) fn is_data(extension: &str) -> bool {
    matches!(extension, "json" | "tsv")
}

/// The word in names of subtitles that translate only the parts in a foreign language.
pub(super) const FORCED: &str = "forced";

/// Words between the name of a recording and the extension that say nothing about the language.
/// Not [`FORCED`].
const WORDS: [&str; 13] = [
    "transcript",
    "transcription",
    "subtitles",
    "subtitle",
    "subs",
    "sub",
    "captions",
    "caption",
    "cc",
    "sdh",
    "auto",
    "asr",
    "whisper",
];

/// Codes of languages that are English words, too. After a hyphen, an underscore or a space they
/// more likely continue the title: `talk-to-me.srt`.
const AMBIGUOUS_CODES: [&str; 15] = [
    "am", "an", "as", "be", "he", "hi", "id", "is", "it", "me", "my", "no", "or", "so", "to",
];

/// The least length of a language's name in English; shorter words are codes.
const MIN_LANGUAGE_NAME: usize = 4;

/// The views of a meeting in the names of Zoom's recordings.
const ZOOM_VIEWS: [&str; 5] = ["as", "avo", "gallery", "gvo", "speaker"];

/// What a name says about a sidecar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidecarName {
    /// What follows the name of the recording without its extension, in lower case, such as
    /// `.en.srt`.
    pub suffix: String,
    /// The language that is part of the name.
    pub language: Option<LanguageTag>,
    /// The position in [`EXTENSIONS`].
    pub(super) format: usize,
}

impl SidecarName {
    /// The name of a sidecar file of a recording, both without directories and in any case.
    /// `None` if it is the name of something else.
    ///
    /// ```
    /// use lectern_worker::sidecar::SidecarName;
    ///
    /// let sidecar = SidecarName::of("talk.mp4", "Talk.MP4.en.SRT").unwrap();
    /// assert_eq!(sidecar.suffix, ".mp4.en.srt");
    /// assert_eq!(sidecar.language.unwrap().as_str(), "en");
    /// assert_eq!(SidecarName::of("talk.mp4", "talk.notes.json"), None);
    /// ```
    pub fn of(recording: &str, name: &str) -> Option<Self> {
        if name == recording {
            return None;
        }
        let suffix = suffix(recording, name)?;
        let (between, extension) = suffix.rsplit_once('.')?;
        let format = EXTENSIONS.iter().position(|known| *known == extension)?;
        let between = without_copy_number(between);
        let mut language = None;
        // A first part without a dot before it.
        let (joined, parts) = between.split_once('.').unwrap_or((between, ""));
        for part in words(joined) {
            let is_ambiguous = |part: &str| {
                let code = part.split(['-', '_']).next().unwrap_or_default();
                AMBIGUOUS_CODES.contains(&code)
            };
            if is_ambiguous(part) && !is_word(part) {
                return None;
            }
            add_word(part, &mut language)?;
        }
        for part in parts.split('.').flat_map(words) {
            add_word(part, &mut language)?;
        }
        Some(Self {
            suffix,
            language,
            format,
        })
    }
}

/// What follows the name of the recording in another name, in lower case. `None` if the name
/// does not begin with it, or if a letter or a digit follows: `talk2.srt` is not of `talk.mp4`.
pub(super) fn suffix(recording: &str, name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let starts = [stem(recording), common_start(recording)];
    let suffix = starts
        .iter()
        .find_map(|start| name.strip_prefix(&start.to_lowercase()))?;
    let is_other_word = suffix.starts_with(char::is_alphanumeric);
    (!is_other_word).then(|| suffix.to_owned())
}

/// The words of a part of a name. A language with a region stays one word.
fn words(part: &str) -> Vec<&str> {
    let part = part.trim_matches([' ', '_', '-']);
    if part.is_empty() {
        return Vec::new();
    }
    // `en-captions` has the form of a tag.
    let has_word = || {
        let mut subtags = part.split(['-', '_', ' ']);
        subtags.any(|word| word == FORCED || is_word(word))
    };
    if is_word(part) || language(part).is_some() && !has_word() {
        return vec![part];
    }
    match [' ', '_', '-']
        .into_iter()
        .find(|sign| part.contains(*sign))
    {
        Some(sign) => part.split(sign).flat_map(words).collect(),
        None => vec![part],
    }
}

/// Whether a word says nothing about the language.
fn is_word(word: &str) -> bool {
    WORDS.contains(&word) || recording_media_type(word).is_some()
}

/// Takes a word of a name into account; `None` if it makes the name that of another file.
fn add_word(word: &str, known: &mut Option<LanguageTag>) -> Option<()> {
    if is_word(word) {
        return Some(());
    }
    let tag = language(word)?;
    // After a language, `hi` is for the hearing impaired, and not Hindi.
    if known.is_none() {
        *known = Some(tag);
    } else if tag.as_str() != "hi" {
        return None;
    }
    Some(())
}

/// A language with a code of two letters, by its code or its name in English. Codes of rare
/// languages are words more often than languages.
fn language(word: &str) -> Option<LanguageTag> {
    let is_long = word.chars().count() >= MIN_LANGUAGE_NAME;
    let named = || is_long.then(|| LanguageTag::of_name(word)).flatten();
    let tag = LanguageTag::new(word).ok().or_else(named);
    tag.filter(LanguageTag::has_short_code)
}

/// Removes the number that browsers add to the name of a file that exists already: ` (1)`.
fn without_copy_number(between: &str) -> &str {
    let numbered = between.strip_suffix(')').and_then(|rest| {
        let (before, number) = rest.rsplit_once('(')?;
        let is_number =
            (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| before.trim_end())
    });
    numbered.unwrap_or(between)
}

/// A name or a path without the extension.
pub fn stem(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name..].rfind('.') {
        Some(dot) if dot > 0 => &path[..name + dot],
        _ => path,
    }
}

/// The start of the names of all sidecar files of a recording, whose name has no directories: its
/// stem, but the part that Zoom's files of one meeting share.
///
/// ```
/// use lectern_worker::sidecar::common_start;
///
/// let zoom = "GMT20240101-100000_Recording_as_1280x720.mp4";
/// assert_eq!(common_start(zoom), "GMT20240101-100000_Recording");
/// assert_eq!(common_start("talk_1280x720.mp4"), "talk_1280x720");
/// ```
pub fn common_start(recording: &str) -> &str {
    let stem = stem(recording);
    zoom_meeting(stem).unwrap_or(stem)
}

/// The part of the name of a picture of Zoom's cloud before its view and its size:
/// `GMT20240101-100000_Recording` of `GMT20240101-100000_Recording_avo_1280x720`.
fn zoom_meeting(stem: &str) -> Option<&str> {
    let is_digits =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let (time, _) = stem.strip_prefix("GMT")?.split_once('_')?;
    let (date, clock) = time.split_once('-')?;
    let (meeting, size) = stem.rsplit_once('_')?;
    let (width, height) = size.split_once('x')?;
    let is_size = [width, height]
        .iter()
        .all(|side| (2..=5).contains(&side.len()) && is_digits(side, side.len()));
    if !is_digits(date, 8) || !is_digits(clock, 6) || !is_size {
        return None;
    }
    let with_view = meeting.rsplit_once('_');
    let without_view = with_view.filter(|(_, view)| ZOOM_VIEWS.contains(view));
    let meeting = without_view.map_or(meeting, |(meeting, _)| meeting);
    meeting.contains('_').then_some(meeting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_begins_with_the_name_of_its_recording() {
        for (name, expected) in [
            ("talk.srt", None),
            ("TALK.Vtt", None),
            ("talk.mp4.srt", None),
            ("talk.wav.json", None),
            ("talk.transcript.vtt", None),
            ("talk_captions.vtt", None),
            ("talk - Subtitles.vtt", None),
            ("talk (1).vtt", None),
            ("talk(12).vtt", None),
            ("talk.en.srt", Some("en")),
            ("talk-en.vtt", Some("en")),
            ("talk_pt-BR.vtt", Some("pt-BR")),
            ("talk.pt_br.vtt", Some("pt-BR")),
            ("talk_captions_de (2).vtt", Some("de")),
            ("talk.en-captions.vtt", Some("en")),
            ("talk.english.vtt", Some("en")),
            ("talk German.srt", Some("de")),
            ("talk.pt-BR.ttml", Some("pt-BR")),
            ("talk.ger.ass", Some("de")),
            ("talk.hi.srt", Some("hi")),
            ("talk.it.srt", Some("it")),
            ("talk.mp4.en.hi.srt", Some("en")),
            ("talk.en-orig.json3", Some("en")),
        ] {
            let sidecar = SidecarName::of("talk.mp4", name);
            let sidecar = sidecar.unwrap_or_else(|| panic!("{name}"));
            assert_eq!(sidecar.language.as_deref(), expected, "{name}");
        }
        for name in [
            "talk.mp4",
            "talk",
            "talk.txt",
            "talk2.srt",
            "talk-2.srt",
            "talk_final.srt",
            "talk.notes.json",
            // Codes of rare languages are words more often than languages.
            "talk.new.srt",
            "talk-to-me.srt",
            "talk-it.srt",
            "talk.en.de.srt",
            "talk.en.forced.srt",
            "talk.en-forced.srt",
            "talk (one).srt",
            "talk..srt.mp4",
            "talksrt",
        ] {
            assert_eq!(SidecarName::of("talk.mp4", name), None, "{name}");
        }
        assert!(SidecarName::of("a.b", "a.srt").is_some());
        assert!(SidecarName::of("talk.srt", "talk.srt").is_none());
        // A letter whose lower case is longer.
        assert!(SidecarName::of("İ.mp4", "İ.srt").is_some());
    }

    #[test]
    fn all_pictures_of_a_zoom_meeting_have_its_transcript() {
        let transcript = "GMT20240101-100000_Recording.transcript.vtt";
        for recording in [
            "GMT20240101-100000_Recording_1920x1080.wav",
            "GMT20240101-100000_Recording_avo_1280x720.mp4",
            "GMT20240101-100000_Recording_gallery_1280x720.mp4",
            "GMT20240101-100000_Recording.m4a",
        ] {
            let sidecar = SidecarName::of(recording, transcript);
            assert_eq!(sidecar.unwrap().suffix, ".transcript.vtt", "{recording}");
        }
        for other in [
            "GMT20240101-110000_Recording_1920x1080.mp4",
            "GMT20240101-100000_Recording_part_1920x1080.mp4",
            "GMT2024-1_Recording_1920x1080.mp4",
        ] {
            assert_eq!(SidecarName::of(other, transcript), None, "{other}");
        }
        assert_eq!(
            common_start("GMT20240101-100000_1x1.mp4"),
            "GMT20240101-100000_1x1"
        );
    }
}

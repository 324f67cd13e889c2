//! Sidecar files: subtitles next to a recording, such as `talk.srt` or `talk.mp4.en.vtt`.

use std::cmp::Reverse;
use std::io::Read;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::{Job, LanguageTag, recording_media_type};

use crate::failure::Failure;

/// Extensions of sidecar files, the format with the most information first.
pub const EXTENSIONS: [&str; 10] = [
    "json", "vtt", "ttml", "dfxp", "ass", "ssa", "srt", "sbv", "lrc", "json3",
];

/// Greatest size of a sidecar file. It is read into memory.
pub const MAX_BYTES: u64 = 64 << 20;

/// Files that were modified within this time before the newest one count as equally new: a
/// recognizer that writes several formats needs a moment.
const SAME_TIME: TimeDelta = TimeDelta::seconds(60);

/// Words between the name of a recording and the extension that say nothing about the language.
/// Not `forced`: such files translate only the parts in a foreign language.
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

/// What a name says about a sidecar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidecarName {
    /// What follows the name of the recording without its extension, in lower case, such as
    /// `.en.srt`.
    pub suffix: String,
    /// The language that is part of the name.
    pub language: Option<LanguageTag>,
    /// The position in [`EXTENSIONS`].
    format: usize,
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
        let name = name.to_lowercase();
        let suffix = name.strip_prefix(&stem(recording).to_lowercase())?;
        let (between, extension) = suffix.strip_prefix('.').map(|parts| {
            let (between, extension) = parts.rsplit_once('.').unzip();
            (between.unwrap_or_default(), extension.unwrap_or(parts))
        })?;
        let format = EXTENSIONS.iter().position(|known| *known == extension)?;
        let mut language = None;
        for part in between.split('.').filter(|_| !between.is_empty()) {
            if WORDS.contains(&part) || recording_media_type(part).is_some() {
                continue;
            }
            match LanguageTag::new(part) {
                Ok(tag) if language.is_none() && tag.has_short_code() => language = Some(tag),
                // After a language, `hi` is for the hearing impaired, and not Hindi.
                Ok(tag) if tag.as_str() == "hi" => {}
                _ => return None,
            }
        }
        Some(Self {
            suffix: suffix.to_owned(),
            language,
            format,
        })
    }
}

/// A sidecar file.
#[derive(Debug, Clone)]
pub struct Sidecar<T> {
    /// What its name says.
    pub name: SidecarName,
    /// When its text was last changed.
    pub modified: DateTime<Utc>,
    /// Where it is.
    pub file: T,
}

/// Selects the sidecar files of a recording from files with their names and the times of their
/// last changes. A file that has the name of another recording in the list belongs to that one.
pub fn select<T>(
    recording: &str,
    files: impl IntoIterator<Item = (String, DateTime<Utc>, T)>,
) -> Vec<Sidecar<T>> {
    let files: Vec<_> = files.into_iter().collect();
    let is_other_recording = |name: &str| {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        recording_media_type(extension).is_some() && stem(name) != stem(recording)
    };
    let others: Vec<String> = files
        .iter()
        .filter(|(name, ..)| is_other_recording(name))
        .map(|(name, ..)| stem(name).to_owned())
        .collect();
    let sidecars = files.into_iter().filter_map(|(name, modified, file)| {
        if others.iter().any(|other| other == stem(&name)) {
            return None;
        }
        Some(Sidecar {
            name: SidecarName::of(recording, &name)?,
            modified,
            file,
        })
    });
    sidecars.collect()
}

/// Sorts sidecar files by preference. With a language, files in it come first, the ones of
/// the same region before others; without one, files whose names have no language. Among these
/// the newest comes first, and of equally new ones the format with the most information.
pub fn sort_by_preference<T>(sidecars: &mut [Sidecar<T>], language: Option<&LanguageTag>) {
    let fit = |sidecar: &Sidecar<T>| language_rank(sidecar.name.language.as_ref(), language);
    let best = sidecars.iter().map(fit).min();
    let newest = sidecars
        .iter()
        .filter(|sidecar| Some(fit(sidecar)) == best)
        .map(|sidecar| sidecar.modified)
        .max();
    sidecars.sort_by_cached_key(|sidecar| {
        let is_newest = newest.is_some_and(|newest| newest - sidecar.modified <= SAME_TIME);
        let time = if is_newest {
            DateTime::<Utc>::MAX_UTC
        } else {
            sidecar.modified
        };
        (
            fit(sidecar),
            Reverse(time),
            sidecar.name.format,
            Reverse(sidecar.modified),
            sidecar.name.suffix.clone(),
        )
    });
}

/// How well subtitles in a language fit the one that is wanted; less is better.
pub(crate) fn language_rank(language: Option<&LanguageTag>, wanted: Option<&LanguageTag>) -> u8 {
    match (wanted, language) {
        (None, None) => 0,
        (None, Some(_)) => 1,
        (Some(wanted), Some(language)) if wanted == language => 0,
        (Some(wanted), Some(language)) if wanted.is_same_language(language) => 1,
        (Some(_), None) => 2,
        (Some(_), Some(_)) => OTHER_LANGUAGE,
    }
}

/// The [`language_rank`] of subtitles that are not in the wanted language.
pub(crate) const OTHER_LANGUAGE: u8 = 3;

/// The name and the time of the last change of the file that a sidecar is a copy of. `lectern
/// process` records them in the metadata of the job, because the copies are all equally old.
pub(crate) fn original(job: &Job, suffix: &str) -> Option<(String, DateTime<Utc>)> {
    let files = job.extra_metadata.get().get("source")?.get("beside")?;
    let file = files.get(suffix)?;
    let name = Path::new(file.get("path")?.as_str()?).file_name()?;
    let modified = DateTime::from_timestamp_millis(file.get("modified_ms")?.as_i64()?)?;
    Some((name.to_string_lossy().into_owned(), modified))
}

/// A name or a path without the extension.
pub fn stem(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name..].rfind('.') {
        Some(dot) if dot > 0 => &path[..name + dot],
        _ => path,
    }
}

/// Reads `source` to its end. `name` identifies it in errors.
///
/// # Errors
///
/// [`Failure::Permanent`] if `source` has more than [`MAX_BYTES`].
pub(crate) fn read_bounded(name: &str, source: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    check_size(name, bytes.len() as u64, MAX_BYTES)?;
    Ok(bytes)
}

/// Fails if `size` is greater than `max_bytes`.
pub(crate) fn check_size(name: &str, size: u64, max_bytes: u64) -> Result<(), Failure> {
    if size > max_bytes {
        let mebibytes = max_bytes >> 20;
        return Err(Failure::permanent(format!(
            "{name} is longer than {mebibytes} MiB"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(text: &str) -> LanguageTag {
        LanguageTag::new(text).unwrap()
    }

    #[test]
    fn a_sidecar_begins_with_the_name_of_its_recording() {
        for (name, expected) in [
            ("talk.srt", None),
            ("TALK.Vtt", None),
            ("talk.mp4.srt", None),
            ("talk.wav.json", None),
            ("talk.transcript.vtt", None),
            ("talk.en.srt", Some("en")),
            ("talk.pt-BR.ttml", Some("pt-BR")),
            ("talk.ger.ass", Some("de")),
            ("talk.hi.srt", Some("hi")),
            ("talk.mp4.en.hi.srt", Some("en")),
            ("talk.en-orig.json3", Some("en-Orig")),
        ] {
            let sidecar = SidecarName::of("talk.mp4", name).unwrap();
            assert_eq!(sidecar.language.as_deref(), expected, "{name}");
        }
        for name in [
            "talk.mp4",
            "talk",
            "talk.txt",
            "talk2.srt",
            "talk.notes.json",
            // Codes of rare languages are words more often than languages.
            "talk.new.srt",
            "talk.en.de.srt",
            "talk.en.forced.srt",
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
    fn a_sidecar_of_another_recording_is_not_selected() {
        let names = [
            "talk.mp4",
            "talk.en.mp4",
            "talk.en.srt",
            "talk.de.srt",
            "talk.WAV",
        ];
        let files = names.map(|name| (name.to_owned(), DateTime::<Utc>::UNIX_EPOCH, name));
        let selected = select("talk.mp4", files);
        let selected: Vec<_> = selected.iter().map(|sidecar| sidecar.file).collect();
        assert_eq!(selected, ["talk.de.srt"]);
    }

    #[test]
    fn the_language_then_the_time_then_the_format_decide() {
        let order = |files: &[(&'static str, i64)], wanted: Option<&str>| {
            let files = files.iter().map(|(name, seconds)| {
                let time = DateTime::from_timestamp(*seconds, 0).unwrap();
                ((*name).to_owned(), time, *name)
            });
            let mut selected = select("a.mp4", files);
            sort_by_preference(&mut selected, wanted.map(language).as_ref());
            selected
                .iter()
                .map(|sidecar| sidecar.file)
                .collect::<Vec<_>>()
        };
        // Written together by a recognizer.
        let together = [("a.srt", 1_002), ("a.vtt", 1_001), ("a.json", 1_000)];
        assert_eq!(order(&together, None), ["a.json", "a.vtt", "a.srt"]);
        let corrected = [("a.json", 1_000), ("a.vtt", 1_001), ("a.srt", 5_000)];
        assert_eq!(order(&corrected, None), ["a.srt", "a.vtt", "a.json"]);
        let languages = [
            ("a.de.srt", 9_000),
            ("a.en-GB.srt", 1_000),
            ("a.srt", 5_000),
            ("a.en.srt", 500),
        ];
        let english = ["a.en.srt", "a.en-GB.srt", "a.srt", "a.de.srt"];
        assert_eq!(order(&languages, Some("en")), english);
        assert_eq!(order(&languages, None)[..2], ["a.srt", "a.de.srt"]);
    }
}

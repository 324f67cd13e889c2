//! Sidecar files: subtitles next to a recording, such as `talk.srt` or `talk.mp4.en.vtt`.

mod name;
mod passed_over;

use std::cmp::Reverse;
use std::io::Read;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::{Job, LanguageTag, recording_media_type};

pub(crate) use self::name::is_data;
pub use self::name::{EXTENSIONS, SidecarName, common_start, stem};
pub use self::passed_over::{MAX_FILES as MAX_PASSED_OVER, METADATA_KEY, PassedOver};
use crate::failure::Failure;

/// Greatest size of a sidecar file. It is read into memory.
pub const MAX_BYTES: u64 = 64 << 20;

/// Files that were modified within this time before the newest one count as equally new: a
/// recognizer that writes several formats needs a moment.
const SAME_TIME: TimeDelta = TimeDelta::seconds(60);

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

/// The files beside a recording that concern its transcript.
#[derive(Debug)]
pub struct Selection<T> {
    /// The sidecar files.
    pub sidecars: Vec<Sidecar<T>>,
    /// Other files that look like a transcript of the recording.
    pub passed_over: Vec<PassedOver>,
}

/// Selects the sidecar files of a recording from files with their names and the times of their
/// last changes. A file that has the name of another recording in the list belongs to that one.
pub fn select<T>(
    recording: &str,
    files: impl IntoIterator<Item = (String, DateTime<Utc>, T)>,
) -> Selection<T> {
    let files: Vec<_> = files.into_iter().collect();
    let start = common_start(recording);
    let is_other_recording = |name: &str| {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        // The files of one meeting of Zoom share their transcript.
        let is_same = || common_start(name).eq_ignore_ascii_case(start);
        recording_media_type(extension).is_some() && stem(name).len() > start.len() && !is_same()
    };
    let others: Vec<String> = files
        .iter()
        .filter(|(name, ..)| is_other_recording(name))
        .map(|(name, ..)| name.clone())
        .collect();
    let mut selection = Selection {
        sidecars: Vec::new(),
        passed_over: Vec::new(),
    };
    for (file_name, modified, file) in files {
        let is_of_other = |other: &String| name::suffix(other, &file_name).is_some();
        if others.iter().any(is_of_other) {
            continue;
        }
        match SidecarName::of(recording, &file_name) {
            Some(name) => selection.sidecars.push(Sidecar {
                name,
                modified,
                file,
            }),
            None => selection
                .passed_over
                .extend(PassedOver::of(recording, &file_name)),
        }
    }
    selection.passed_over.sort_by(|a, b| a.name.cmp(&b.name));
    selection
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
    fn a_sidecar_of_another_recording_is_not_selected() {
        let names = [
            "talk.mp4",
            "talk.en.mp4",
            "talk.en.srt",
            "talk.de.srt",
            "talk.WAV",
            "talk-2.mp4",
            "talk-2.smi",
            "talk.smi",
            "talk.en.transcript.srt",
        ];
        let files = names.map(|name| (name.to_owned(), DateTime::<Utc>::UNIX_EPOCH, name));
        let selected = select("talk.mp4", files);
        let sidecars: Vec<_> = selected
            .sidecars
            .iter()
            .map(|sidecar| sidecar.file)
            .collect();
        assert_eq!(sidecars, ["talk.de.srt"]);
        let passed_over: Vec<_> = selected.passed_over.iter().map(|file| &file.name).collect();
        assert_eq!(passed_over, ["talk.smi"]);
    }

    #[test]
    fn the_language_then_the_time_then_the_format_decide() {
        let order = |files: &[(&'static str, i64)], wanted: Option<&str>| {
            let files = files.iter().map(|(name, seconds)| {
                let time = DateTime::from_timestamp(*seconds, 0).unwrap();
                ((*name).to_owned(), time, *name)
            });
            let mut selected = select("a.mp4", files).sidecars;
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

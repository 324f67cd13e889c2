//! Files on disk that a transcript can be taken from.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use lectern_formats::InputFormat;
use lectern_worker::sidecar::{self, PassedOver, SidecarName};
use serde_json::{Value, json};

/// A file with a transcript.
#[derive(Debug)]
pub(super) struct TranscriptFile {
    pub(super) path: PathBuf,
    /// What follows the recording's name without its extension in the name of the copy, such as
    /// `.en.srt`.
    pub(super) suffix: String,
    size: u64,
    modified: SystemTime,
}

impl TranscriptFile {
    /// The file of `--transcript`, for a recording of this name.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no transcript.
    pub(super) fn given(path: &Path, recording_name: &str) -> anyhow::Result<Self> {
        let name = path.display();
        let unreadable = || format!("cannot read {name}");
        let meta = fs::metadata(path).with_context(unreadable)?;
        ensure!(meta.is_file(), "{name} is not a file");
        let max = sidecar::MAX_BYTES;
        ensure!(meta.len() <= max, "{name} is longer than {} MiB", max >> 20);
        let bytes = fs::read(path).with_context(unreadable)?;
        let format = InputFormat::of_content(&bytes);
        let transcript = format.read(&bytes).and_then(|file| file.transcript(None));
        let transcript = transcript.with_context(unreadable)?;
        ensure!(!transcript.cues.is_empty(), "{name} has no text");
        // A name such as `talk.en.srt` says the language.
        let suffix = SidecarName::of(recording_name, &file_name(path)).map_or_else(
            || format!(".transcript.{}", format.extensions()[0]),
            |name| name.suffix,
        );
        Self::new(path.canonicalize()?, suffix, &meta).with_context(unreadable)
    }

    fn new(path: PathBuf, suffix: String, meta: &Metadata) -> std::io::Result<Self> {
        Ok(Self {
            path,
            suffix,
            size: meta.len(),
            modified: meta.modified()?,
        })
    }

    /// Identifies a state of the file.
    pub(super) fn fingerprint(&self) -> Value {
        // Milliseconds, because a file may be rewritten within a second without a
        // change of its size.
        json!({
            "size": self.size,
            "modified_ms": milliseconds(self.modified),
            "path": self.path.to_string_lossy(),
        })
    }
}

/// The files beside a recording that concern its transcript.
#[derive(Debug, Default)]
pub(super) struct FilesBeside {
    pub(super) transcripts: Vec<TranscriptFile>,
    /// Files that look like a transcript but are not read.
    pub(super) passed_over: Vec<PassedOver>,
}

/// The sidecar files of a recording, in the directory of `path` and, if this is a symlink, also
/// in the directory of its `target`. Of two that would have the same name in the storage, only the
/// newer one is returned.
pub(super) fn beside(path: &Path, target: &Path) -> anyhow::Result<FilesBeside> {
    let mut found = FilesBeside::default();
    for recording in [path, target] {
        let beside = beside_one(recording)?;
        for file in beside.transcripts {
            let mut others = found.transcripts.iter_mut();
            match others.find(|other| other.suffix == file.suffix) {
                Some(other) if other.modified < file.modified => *other = file,
                Some(_) => {}
                None => found.transcripts.push(file),
            }
        }
        for file in beside.passed_over {
            if !found.passed_over.contains(&file) {
                found.passed_over.push(file);
            }
        }
    }
    Ok(found)
}

/// The files in the directory of a recording.
fn beside_one(recording: &Path) -> anyhow::Result<FilesBeside> {
    let directory = match recording.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    let unreadable = || format!("cannot read {}", directory.display());
    let start = sidecar::common_start(&file_name(recording)).to_lowercase();
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let name = file_name(&entry.path());
        if !name.to_lowercase().starts_with(&start) {
            continue;
        }
        // Follows symlinks. A broken one is no sidecar.
        let Ok(meta) = fs::metadata(entry.path()) else {
            continue;
        };
        if meta.is_file() {
            let modified = meta.modified().with_context(unreadable)?;
            files.push((name, modified.into(), (entry.path(), meta)));
        }
    }
    let selected = sidecar::select(&file_name(recording), files);
    let transcripts = selected.sidecars.into_iter().map(|sidecar| {
        let (path, meta) = sidecar.file;
        let path = path.canonicalize()?;
        TranscriptFile::new(path, sidecar.name.suffix, &meta)
    });
    let transcripts: Result<_, _> = transcripts.collect();
    Ok(FilesBeside {
        transcripts: transcripts.with_context(unreadable)?,
        passed_over: selected.passed_over,
    })
}

/// The name of a file without its directories.
pub(super) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Milliseconds since 1970; negative before.
pub(super) fn milliseconds(time: SystemTime) -> i64 {
    let (distance, sign) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (after, 1),
        Err(before) => (before.duration(), -1),
    };
    i64::try_from(distance.as_millis()).map_or(i64::MAX, |distance| sign * distance)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_may_be_older_than_1970() {
        assert_eq!(milliseconds(UNIX_EPOCH + Duration::from_millis(1500)), 1500);
        assert_eq!(
            milliseconds(UNIX_EPOCH - Duration::from_millis(1500)),
            -1500
        );
    }

    #[test]
    fn sidecars_of_a_symlink_and_of_its_target_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let (videos, links) = (dir.path().join("videos"), dir.path().join("links"));
        for directory in [&videos, &links] {
            fs::create_dir(directory).unwrap();
        }
        let (target, link) = (videos.join("REC_1.mp4"), links.join("talk.mp4"));
        fs::write(&target, "moov").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for file in [
            videos.join("rec_1.SRT"),
            videos.join("talk.vtt"),
            links.join("Talk.en.vtt"),
            links.join("talk.srt"),
            links.join("talk.smi"),
            videos.join("REC_1.txt"),
        ] {
            fs::write(file, "1").unwrap();
        }
        let newer = fs::File::options()
            .write(true)
            .open(links.join("talk.srt"))
            .unwrap();
        newer
            .set_modified(SystemTime::now() + Duration::from_mins(1))
            .unwrap();
        let files = beside(&link, &target).unwrap();
        let passed_over: Vec<_> = files.passed_over.iter().map(|file| &file.name).collect();
        assert_eq!(passed_over, ["talk.smi", "REC_1.txt"]);
        let mut found: Vec<_> = files
            .transcripts
            .into_iter()
            .map(|file| (file.suffix.clone(), file_name(&file.path)))
            .collect();
        found.sort();
        let expected = [(".en.vtt", "Talk.en.vtt"), (".srt", "talk.srt")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn a_given_transcript_is_read_before_anything_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        let stored = |name: &str, text: &str| {
            let file = dir.path().join(name);
            fs::write(&file, text).unwrap();
            TranscriptFile::given(&file, "talk.mp4").map(|file| file.suffix)
        };
        let srt = "1\n00:00:01,000 --> 00:00:02,000\nHello.\n";
        assert_eq!(stored("other.txt", srt).unwrap(), ".transcript.srt");
        assert_eq!(stored("talk.en.srt", srt).unwrap(), ".en.srt");
        assert!(stored("letter.srt", "Dear all,\n").is_err());
        let empty = stored("empty.vtt", "WEBVTT\n").unwrap_err();
        assert!(empty.to_string().ends_with("has no text"), "{empty}");
    }
}

//! Writes the results of a job as files.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use lectern_api::ResultsResponse;
use lectern_db::Database;
use lectern_domain::{Clip, JobId, StorageKey};
use lectern_formats::{Cue, plain_text, subrip, webvtt};
use lectern_media::CancellationToken;
use lectern_storage::ObjectKey;
use lectern_worker::{BlockingStorage, Failure, JobObjects as _};

use super::output_manifest::{OutputManifest, write_atomically};
use super::summary::Summary;

/// Error message when a signal interrupted the command.
pub(super) const INTERRUPTED: &str = "interrupted; run the same command again to continue";

/// Upper bound of a title in a file name, in characters.
const MAX_TITLE_CHARS: usize = 60;

/// Files that are always written.
pub(super) const FIXED_FILES: [&str; 4] = [
    "transcript.vtt",
    "transcript.srt",
    "transcript.txt",
    "results.json",
];

/// Writes the clips with thumbnails and subtitles, the highlights, the transcript
/// in all formats, and `results.json`: the response of `/results/{job_id}` with
/// file names as URLs. Removes other files that an earlier run has written. After a
/// cancellation no partial file is left.
pub(super) fn write(
    database: &Database,
    store: &BlockingStorage,
    job_id: JobId,
    recording: &Path,
    out: &Path,
    manifest: &mut OutputManifest,
    cancellation: &CancellationToken,
) -> anyhow::Result<Summary> {
    let results = database.read(|conn| conn.jobs().results(job_id))?;
    let Some(results) = results else {
        bail!("the job was deleted")
    };
    let summary = Summary::new(&results);
    let mut files: HashMap<StorageKey, PathBuf> = HashMap::new();
    for (index, clip) in results.clips.iter().enumerate() {
        files.extend(clip_files(index, clip));
    }
    let highlights = &results.job.compiled_video_s3_key;
    files.extend(
        highlights
            .clone()
            .map(|key| (key, PathBuf::from("highlights.mp4"))),
    );
    let names = files.values().cloned();
    let names = names.chain(FIXED_FILES.map(PathBuf::from)).collect();
    manifest.record_files(&names)?;

    let cues: Vec<_> = results.transcript.iter().cloned().map(Cue::from).collect();
    write_atomically(&out.join("transcript.vtt"), webvtt::write(&cues).as_bytes())?;
    write_atomically(&out.join("transcript.srt"), subrip::write(&cues).as_bytes())?;
    write_atomically(
        &out.join("transcript.txt"),
        plain_text::write(&cues).as_bytes(),
    )?;
    fs::create_dir_all(out.join("clips"))?;
    for (key, file) in &files {
        let key = ObjectKey::try_from(key.clone())?;
        copy(
            store,
            &key,
            &out.join(file),
            &out.join("clips/.part"),
            cancellation,
        )?;
    }
    let original = results.job.original_s3_key.clone();
    let response = ResultsResponse::with_urls(results, |key| {
        let file = match files.get(key) {
            Some(file) => file.as_path(),
            None if original.as_ref() == Some(key) => recording,
            None => return None,
        };
        Some(file.to_string_lossy().into_owned())
    });
    let json = serde_json::to_vec_pretty(&response)?;
    write_atomically(&out.join("results.json"), &json)?;
    manifest.keep_only(&names)?;
    Ok(summary)
}

/// Copies an object to a temporary file and renames it.
fn copy(
    store: &BlockingStorage,
    key: &ObjectKey,
    file: &Path,
    part: &Path,
    cancellation: &CancellationToken,
) -> anyhow::Result<()> {
    let copied = store
        .copy(key, part, cancellation)
        .and_then(|()| Ok(fs::rename(part, file)?));
    if copied.is_err() {
        // The temporary file may not exist.
        let _ = fs::remove_file(part);
    }
    match copied {
        Err(Failure::Cancelled) => bail!(INTERRUPTED),
        copied => copied.with_context(|| format!("cannot write {}", file.display())),
    }
}

/// The files of a clip, by storage key.
fn clip_files(index: usize, clip: &Clip) -> impl Iterator<Item = (StorageKey, PathBuf)> {
    let title = file_name(clip.title.as_str(), MAX_TITLE_CHARS);
    let stem = match title.as_str() {
        "" => format!("{:02}", index + 1),
        title => format!("{:02}-{title}", index + 1),
    };
    let media = clip.media.clone();
    [
        (media.s3_key, "mp4"),
        (media.thumbnail_s3_key, "jpg"),
        (media.subtitle_s3_key, "vtt"),
    ]
    .into_iter()
    .filter_map(move |(key, extension)| {
        Some((key?, PathBuf::from(format!("clips/{stem}.{extension}"))))
    })
}

/// Reduces a text to characters that all common file systems accept.
fn file_name(text: &str, max_chars: usize) -> String {
    let name: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<_> = name.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(max_chars).collect()
}

//! What came of a recording, as files for people.

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
use lectern_worker::{BlockingStorage, Failure};

use super::files::{file_name, write_atomically};
use super::output_manifest::OutputManifest;
use super::source::Source;

/// What to say after a signal.
pub(super) const INTERRUPTED: &str = "told to stop; the same command goes on from here";

/// The longest title in the name of a file.
const MAX_TITLE_CHARS: usize = 60;

/// What is always written.
pub(super) const FIXED_FILES: [&str; 4] = [
    "transcript.vtt",
    "transcript.srt",
    "transcript.txt",
    "results.json",
];

/// Writes the clips with their thumbnails and subtitles, all of them in one,
/// the transcript in its formats, and `results.json`, which is what the service
/// answers at `/results/{job_id}`, with the names of these files as addresses.
/// What was written there before and is none of this goes. Told to stop, it leaves
/// no half of a file.
pub(super) fn write(
    database: &Database,
    store: &BlockingStorage,
    job_id: JobId,
    source: &Source,
    out: &Path,
    manifest: &mut OutputManifest,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let results = database.read(|conn| conn.jobs().results(job_id))?;
    let Some(results) = results else {
        bail!("the job is gone")
    };
    let mut files: HashMap<StorageKey, PathBuf> = HashMap::new();
    for (i, clip) in results.clips.iter().enumerate() {
        files.extend(clip_files(i, clip));
    }
    let reel = &results.job.compiled_video_s3_key;
    files.extend(
        reel.clone()
            .map(|key| (key, PathBuf::from("highlights.mp4"))),
    );
    let names = files.values().cloned();
    let names = names.chain(FIXED_FILES.map(PathBuf::from)).collect();
    manifest.claim(&names)?;

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
        copy(store, &key, &out.join(file), &out.join("clips/.part"), stop)?;
    }
    let original = results.job.original_s3_key.clone();
    let response = ResultsResponse::with_urls(results, |key| {
        let file = match files.get(key) {
            Some(file) => file.as_path(),
            None if original.as_ref() == Some(key) => source.path.as_path(),
            None => return None,
        };
        Some(file.to_string_lossy().into_owned())
    });
    let json = serde_json::to_vec_pretty(&response)?;
    write_atomically(&out.join("results.json"), &json)?;
    manifest.keep_only(&names)
}

/// Copies an object into a file by way of another.
fn copy(
    store: &BlockingStorage,
    key: &ObjectKey,
    file: &Path,
    part: &Path,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let copied = store
        .copy(key, part, stop)
        .and_then(|()| Ok(fs::rename(part, file)?));
    if copied.is_err() {
        // Where there is none, none is left.
        let _ = fs::remove_file(part);
    }
    match copied {
        Err(Failure::Cancelled) => bail!(INTERRUPTED),
        copied => copied.with_context(|| format!("cannot write {}", file.display())),
    }
}

/// The files of a clip, by where they lie in the storage.
fn clip_files(i: usize, clip: &Clip) -> impl Iterator<Item = (StorageKey, PathBuf)> {
    let title = file_name(clip.title.as_str(), MAX_TITLE_CHARS);
    let stem = match title.as_str() {
        "" => format!("{:02}", i + 1),
        title => format!("{:02}-{title}", i + 1),
    };
    let media = clip.media.clone();
    [
        (media.s3_key, "mp4"),
        (media.thumbnail_s3_key, "jpg"),
        (media.subtitle_s3_key, "vtt"),
    ]
    .into_iter()
    .filter_map(move |(key, ending)| Some((key?, PathBuf::from(format!("clips/{stem}.{ending}")))))
}

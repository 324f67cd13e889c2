//! Encodes the clips and joins them into a highlight reel.

use std::path::{Path, PathBuf};

use lectern_db::Tx;
use lectern_domain::{
    Clip, ClipId, ClipMediaUpdate, JobUpdate, LayoutAnalysis, LayoutType, Patch, ProcessingConfig,
    Stage, StorageKey, TimeRange,
};
use lectern_formats::{Cue, clip_to, webvtt};
use lectern_media::{Composition, CutSettings, MediaInfo};
use lectern_storage::ObjectKey;
use parking_lot::Mutex;

use crate::failure::Failure;
use crate::parallel;
use crate::stage_handler::{StageContext, StageHandler, StageOutput};

/// Greatest height of a thumbnail, in pixels.
const THUMBNAIL_HEIGHT: u32 = 360;
/// Lowest confidence of a layout analysis at which the screen and the camera are
/// composed into a new picture.
const MIN_LAYOUT_CONFIDENCE: f64 = 0.6;
/// The stage's percentage when all clips are encoded and only joining remains.
const ENCODING_PERCENT: f64 = 95.0;

/// Encodes the clips and joins them into a highlight reel.
#[derive(Debug)]
pub(super) struct Compilation;

impl StageHandler for Compilation {
    fn stage(&self) -> Stage {
        Stage::Compilation
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let job_id = context.job().job_id;
        let (clips, transcript, layout) = context.db().read(|conn| {
            Ok::<_, lectern_db::Error>((
                conn.clips().for_job(job_id)?,
                conn.transcripts().for_job(job_id)?,
                conn.layout_analysis().find_for_job(job_id)?,
            ))
        })?;
        if clips.is_empty() {
            let output = store_keys(Vec::new(), Patch::Clear);
            return Ok(output.with_note("there are no clips to encode"));
        }
        let probe = context.probe()?;
        let (mut valid, mut updates, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for clip in &clips {
            match probe.clamp_range(clip.time) {
                Ok(range) => valid.push((clip, range)),
                Err(error) => {
                    updates.push((clip.clip_id, clear_files(clip)));
                    notes.push(format!("skipped the clip {:?}: {error}", &*clip.title));
                }
            }
        }
        let config = context.job().processing_config.as_ref();
        let encoder = Encoder {
            context,
            probe: &probe,
            cues: transcript.into_iter().map(Cue::from).collect(),
            settings: CutSettings {
                resolution: config.and_then(ProcessingConfig::resolution),
                composition: layout.as_ref().and_then(composition),
                ..CutSettings::default()
            },
            seconds_done: Mutex::new(vec![0.0; valid.len()]),
            total_seconds: valid.iter().map(|(_, range)| range.duration()).sum(),
        };
        let encoded_clips = parallel::map(context.cancellation(), &valid, |i, (clip, range)| {
            encoder.encode_clip(i, clip, *range)
        })?;
        let reel = match valid.first() {
            Some((first, _)) => Patch::Set(encoder.join(first.clip_id, &encoded_clips)?),
            None => Patch::Clear,
        };
        let clip_ids = valid.iter().map(|(clip, _)| clip.clip_id);
        updates.extend(clip_ids.zip(encoded_clips.into_iter().map(|clip| clip.update)));
        Ok(store_keys(updates, reel).with_notes(&notes))
    }
}

/// Stores the keys of the clips' files and of the reel.
fn store_keys(updates: Vec<(ClipId, ClipMediaUpdate)>, reel: Patch<StorageKey>) -> StageOutput {
    StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
        for (clip_id, update) in &updates {
            tx.clips().set_media_keys(*clip_id, update)?;
        }
        let update = JobUpdate {
            compiled_video_s3_key: reel.clone(),
            ..JobUpdate::default()
        };
        tx.jobs().update(job_id, &update, None).map(drop)
    })
}

/// Clears the files of an earlier attempt from a clip that is skipped now.
fn clear_files(clip: &Clip) -> ClipMediaUpdate {
    ClipMediaUpdate {
        s3_key: Patch::Clear,
        thumbnail_s3_key: Patch::Clear,
        subtitle_s3_key: if has_client_subtitles(clip) {
            Patch::Keep
        } else {
            Patch::Clear
        },
    }
}

/// The screen and the camera side by side, if both regions are known.
fn composition(layout: &LayoutAnalysis) -> Option<Composition> {
    let has_two_regions = matches!(
        layout.layout_type,
        LayoutType::SideBySide | LayoutType::PictureInPicture
    );
    let (screen, camera) = (layout.screen_region?, layout.camera_region?);
    (has_two_regions && layout.confidence_score.get() >= MIN_LAYOUT_CONFIDENCE)
        .then_some(Composition::SideBySide { screen, camera })
}

/// Whether a client has stored subtitles for the clip. They are kept: they may
/// have corrections that the transcript lacks.
fn has_client_subtitles(clip: &Clip) -> bool {
    let key = clip.media.subtitle_s3_key.clone();
    let key = key.and_then(|key| ObjectKey::try_from(key).ok());
    key.is_some_and(|key| key.is_custom_subtitles() && !key.is_forbidden_to(clip.job_id))
}

struct EncodedClip {
    file: PathBuf,
    update: ClipMediaUpdate,
}

struct Encoder<'a> {
    context: &'a StageContext<'a>,
    probe: &'a MediaInfo,
    cues: Vec<Cue>,
    settings: CutSettings,
    /// For each clip, how many seconds are encoded.
    seconds_done: Mutex<Vec<f64>>,
    /// Total length of the clips.
    total_seconds: f64,
}

impl Encoder<'_> {
    /// Encodes a clip with its thumbnail and subtitles, and stores the files. `i`
    /// is its index in `seconds_done`, and `range` its part of the recording.
    fn encode_clip(&self, i: usize, clip: &Clip, range: TimeRange) -> Result<EncodedClip, Failure> {
        let media = self.context.media();
        let path = |extension: &str| {
            self.context
                .scratch_file(&format!("{}.{extension}", clip.clip_id))
        };
        let file = path("mp4");
        let mut progress = |seconds| self.report_progress(i, seconds);
        media.cut(self.probe, range, &self.settings, &file, &mut progress)?;
        let thumbnail = path("jpg");
        if self.probe.video.is_some() {
            let middle = f64::midpoint(range.start(), range.end());
            media.thumbnail(self.probe, middle, THUMBNAIL_HEIGHT, &thumbnail)?;
        }
        let store = |file: &Path| -> Result<Patch<StorageKey>, Failure> {
            let extension = file.extension().unwrap_or_default().to_string_lossy();
            let key = format!("clips/{}.{extension}", clip.clip_id);
            let key = self.context.object_key(&key)?;
            self.store(&key, file).map(Patch::Set)
        };
        Ok(EncodedClip {
            update: ClipMediaUpdate {
                s3_key: store(&file)?,
                thumbnail_s3_key: match self.probe.video {
                    Some(_) => store(&thumbnail)?,
                    None => Patch::Clear,
                },
                subtitle_s3_key: if has_client_subtitles(clip) {
                    Patch::Keep
                } else {
                    let subtitles = path("vtt");
                    std::fs::write(&subtitles, webvtt::write(&clip_to(&self.cues, range)))?;
                    store(&subtitles)?
                },
            },
            file,
        })
    }

    /// Joins all clips and stores the reel, which is named after the id of its first
    /// clip. Replaced clips have new ids, so a worker that still has the old clips
    /// does not overwrite the new reel.
    fn join(&self, first: ClipId, clips: &[EncodedClip]) -> Result<StorageKey, Failure> {
        self.context
            .report_progress(ENCODING_PERCENT, "joining the clips");
        let name = format!("highlights-{first}.mp4");
        let file = self.context.scratch_file(&name);
        let files: Vec<_> = clips.iter().map(|clip| clip.file.as_path()).collect();
        let settings = CutSettings {
            composition: None,
            ..self.settings.clone()
        };
        let media = self.context.media();
        media.concat(&files, &settings, &file, &mut |_| {})?;
        self.store(&self.context.object_key(&name)?, &file)
    }

    fn store(&self, key: &ObjectKey, file: &Path) -> Result<StorageKey, Failure> {
        self.context.check()?;
        let storage = self.context.storage();
        storage.put(key, file, self.context.cancellation())?;
        Ok(StorageKey::new(key.as_str())?)
    }

    fn report_progress(&self, i: usize, seconds: f64) {
        // Keeps the lock while reporting, so that the percentage never decreases.
        let mut seconds_done = self.seconds_done.lock();
        seconds_done[i] = seconds;
        let done: f64 = seconds_done.iter().sum();
        let percent = ENCODING_PERCENT * (done / self.total_seconds).min(1.0);
        self.context.report_progress(percent, "encoding the clips");
    }
}

//! The clips as files.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lectern_db::Tx;
use lectern_domain::{
    Clip, ClipMediaUpdate, JobUpdate, LayoutAnalysis, LayoutType, Patch, ProcessingConfig, Stage,
    StorageKey,
};
use lectern_formats::{Cue, clip_to, vtt};
use lectern_media::{Composition, CutSettings, Probe};
use lectern_storage::ObjectKey;

use crate::task::{Findings, StageWork, Task};
use crate::{Failure, side_by_side};

/// How long each command may take: one for each clip, one for its picture, one for
/// the reel.
const LIMIT: Duration = Duration::from_hours(24);
/// How high a thumbnail is at most, in pixels.
const THUMBNAIL: u32 = 360;
/// How sure it has to be where the screen and the camera are, for the picture to
/// be put together anew.
const SURE: f64 = 0.6;
/// How much of the work is cutting; the rest is putting the reel together.
const CUTTING: f64 = 95.0;

/// Cuts and encodes the clips, and all of them in one.
#[derive(Debug)]
pub(super) struct Compilation;

impl StageWork for Compilation {
    fn stage(&self) -> Stage {
        Stage::Compilation
    }

    fn run(&self, task: &Task<'_>) -> Result<Findings, Failure> {
        let job_id = task.job().job_id;
        let (clips, transcript, layout) = task.db().read(|conn| {
            Ok::<_, lectern_db::Error>((
                conn.clips().for_job(job_id)?,
                conn.transcripts().for_job(job_id)?,
                conn.layout_analysis().find_for_job(job_id)?,
            ))
        })?;
        if clips.is_empty() {
            return Ok(Findings::new(|_, _| Ok(())).saying("there is no clip to be made"));
        }
        let config = task.job().processing_config.as_ref();
        let making = Making {
            task,
            probe: &task.probe()?,
            cues: transcript.into_iter().map(Cue::from).collect(),
            settings: CutSettings {
                resolution: config.and_then(ProcessingConfig::resolution),
                composition: layout.as_ref().and_then(composition),
                ..CutSettings::default()
            },
            done: Mutex::new(vec![0.0; clips.len()]),
            total: clips.iter().map(|clip| clip.time.duration()).sum(),
        };
        let files = side_by_side::map(&clips, |i, clip| making.clip(i, clip))?;
        let reel = making.reel(&files)?;
        let keys: Vec<_> = clips
            .iter()
            .map(|clip| clip.clip_id)
            .zip(files.into_iter().map(|made| made.keys))
            .collect();
        Ok(Findings::new(move |tx: &mut Tx<'_>, job_id| {
            for (clip_id, keys) in &keys {
                tx.clips().set_media_keys(*clip_id, keys)?;
            }
            let update = JobUpdate {
                compiled_video_s3_key: Patch::Set(reel.clone()),
                ..JobUpdate::default()
            };
            tx.jobs().update(job_id, &update, None).map(drop)
        }))
    }
}

/// The screen and the camera side by side, where both are known.
fn composition(layout: &LayoutAnalysis) -> Option<Composition> {
    let layout = &layout.found;
    let is_two = matches!(
        layout.layout_type,
        LayoutType::SideBySide | LayoutType::PictureInPicture
    );
    let (screen, camera) = (layout.screen_region?, layout.camera_region?);
    (is_two && layout.confidence_score.get() >= SURE)
        .then_some(Composition::SideBySide { screen, camera })
}

/// Whether a client has given the clip subtitles: where those lie nothing else is
/// written. Somebody has corrected what is said, and the transcript, of which ours
/// would be made, does not know.
fn has_own_subtitles(clip: &Clip) -> bool {
    let theirs = format!("jobs/{}/subtitles/", clip.job_id);
    let key = clip.media.subtitle_s3_key.as_ref();
    key.is_some_and(|key| key.as_str().starts_with(&theirs))
}

/// What is made of one clip.
struct Made {
    file: PathBuf,
    keys: ClipMediaUpdate,
}

struct Making<'a> {
    task: &'a Task<'a>,
    probe: &'a Probe,
    cues: Vec<Cue>,
    settings: CutSettings,
    /// How many seconds of each clip are done.
    done: Mutex<Vec<f64>>,
    /// How many seconds all clips have.
    total: f64,
}

impl Making<'_> {
    /// Makes a clip.
    fn clip(&self, i: usize, clip: &Clip) -> Result<Made, Failure> {
        let media = self.task.media(LIMIT);
        let name = |ending: &str| self.task.file(&format!("{}.{ending}", clip.clip_id));
        let file = name("mp4");
        let mut told = |seconds| self.tell(i, seconds);
        let cut = media.cut(self.probe, clip.time, &self.settings, &file, &mut told)?;
        let picture = name("jpg");
        if self.probe.video.is_some() {
            let middle = f64::midpoint(cut.start(), cut.end());
            media.thumbnail(self.probe, middle, THUMBNAIL, &picture)?;
        }
        let keep = |file: &Path| -> Result<Patch<StorageKey>, Failure> {
            let ending = file.extension().unwrap_or_default().to_string_lossy();
            let key = self.task.key(&format!("clips/{}.{ending}", clip.clip_id))?;
            self.put(&key, file).map(Patch::Set)
        };
        Ok(Made {
            keys: ClipMediaUpdate {
                s3_key: keep(&file)?,
                thumbnail_s3_key: match self.probe.video {
                    Some(_) => keep(&picture)?,
                    None => Patch::Clear,
                },
                subtitle_s3_key: if has_own_subtitles(clip) {
                    Patch::Keep
                } else {
                    let words = name("vtt");
                    std::fs::write(&words, vtt::write(&clip_to(&self.cues, cut)))?;
                    keep(&words)?
                },
            },
            file,
        })
    }

    /// All clips in one.
    fn reel(&self, made: &[Made]) -> Result<StorageKey, Failure> {
        self.task.tell(CUTTING, "putting the reel together");
        let file = self.task.file("highlights.mp4");
        let files: Vec<_> = made.iter().map(|made| made.file.as_path()).collect();
        let settings = CutSettings {
            composition: None,
            ..self.settings.clone()
        };
        let media = self.task.media(LIMIT);
        media.concat(&files, &settings, &file, &mut |_| {})?;
        self.put(&self.task.key("highlights.mp4")?, &file)
    }

    fn put(&self, key: &ObjectKey, file: &Path) -> Result<StorageKey, Failure> {
        self.task.check()?;
        self.task.store().put(key, file)?;
        Ok(StorageKey::new(key.as_str())?)
    }

    fn tell(&self, i: usize, seconds: f64) {
        // Held until it is told, so that who comes later tells more.
        let mut each = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        each[i] = seconds;
        let done: f64 = each.iter().sum();
        let percent = CUTTING * (done / self.total).min(1.0);
        self.task.tell(percent, "encoding the clips");
    }
}

//! The clips as files.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lectern_db::Tx;
use lectern_domain::{
    Clip, ClipId, ClipMediaUpdate, JobUpdate, LayoutAnalysis, LayoutType, Patch, ProcessingConfig,
    Stage, StorageKey, TimeRange,
};
use lectern_formats::{Cue, clip_to, webvtt};
use lectern_media::{Composition, CutSettings, Probe};
use lectern_storage::ObjectKey;

use crate::stage::{StageContext, StageHandler, StageOutput};
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

impl StageHandler for Compilation {
    fn stage(&self) -> Stage {
        Stage::Compilation
    }

    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let job_id = task.job().job_id;
        let (clips, transcript, layout) = task.db().read(|conn| {
            Ok::<_, lectern_db::Error>((
                conn.clips().for_job(job_id)?,
                conn.transcripts().for_job(job_id)?,
                conn.layout_analysis().find_for_job(job_id)?,
            ))
        })?;
        if clips.is_empty() {
            let found = keep(Vec::new(), Patch::Clear);
            return Ok(found.saying("there is no clip to be made"));
        }
        let probe = task.probe()?;
        let (mut parts, mut keys, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for clip in &clips {
            match probe.within(clip.time) {
                Ok(part) => parts.push((clip, part)),
                Err(error) => {
                    keys.push((clip.clip_id, without_files(clip)));
                    notes.push(format!("the clip {:?} was not made: {error}", &*clip.title));
                }
            }
        }
        let config = task.job().processing_config.as_ref();
        let making = Making {
            task,
            probe: &probe,
            cues: transcript.into_iter().map(Cue::from).collect(),
            settings: CutSettings {
                resolution: config.and_then(ProcessingConfig::resolution),
                composition: layout.as_ref().and_then(composition),
                ..CutSettings::default()
            },
            done: Mutex::new(vec![0.0; parts.len()]),
            total: parts.iter().map(|(_, part)| part.duration()).sum(),
        };
        let files = side_by_side::map(task.cancel(), &parts, |i, (clip, part)| {
            making.clip(i, clip, *part)
        })?;
        let reel = match parts.first() {
            Some((first, _)) => Patch::Set(making.reel(first.clip_id, &files)?),
            None => Patch::Clear,
        };
        let made = parts.iter().map(|(clip, _)| clip.clip_id);
        keys.extend(made.zip(files.into_iter().map(|made| made.keys)));
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        let found = keep(keys, reel);
        Ok(StageOutput { note, ..found })
    }
}

/// Stores where the files lie.
fn keep(keys: Vec<(ClipId, ClipMediaUpdate)>, reel: Patch<StorageKey>) -> StageOutput {
    StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
        for (clip_id, keys) in &keys {
            tx.clips().set_media_keys(*clip_id, keys)?;
        }
        let update = JobUpdate {
            compiled_video_s3_key: reel.clone(),
            ..JobUpdate::default()
        };
        tx.jobs().update(job_id, &update, None).map(drop)
    })
}

/// Of a clip that has nothing of the recording in it, and may have had.
fn without_files(clip: &Clip) -> ClipMediaUpdate {
    ClipMediaUpdate {
        s3_key: Patch::Clear,
        thumbnail_s3_key: Patch::Clear,
        subtitle_s3_key: if has_own_subtitles(clip) {
            Patch::Keep
        } else {
            Patch::Clear
        },
    }
}

/// The screen and the camera side by side, where both are known.
fn composition(layout: &LayoutAnalysis) -> Option<Composition> {
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
    let key = clip.media.subtitle_s3_key.clone();
    let key = key.and_then(|key| ObjectKey::try_from(key).ok());
    key.is_some_and(|key| key.is_custom_subtitles() && !key.belongs_to_another_job(clip.job_id))
}

/// What is made of one clip.
struct Made {
    file: PathBuf,
    keys: ClipMediaUpdate,
}

struct Making<'a> {
    task: &'a StageContext<'a>,
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
    fn clip(&self, i: usize, clip: &Clip, part: TimeRange) -> Result<Made, Failure> {
        let media = self.task.media(LIMIT);
        let name = |ending: &str| self.task.file(&format!("{}.{ending}", clip.clip_id));
        let file = name("mp4");
        let mut told = |seconds| self.tell(i, seconds);
        media.cut(self.probe, part, &self.settings, &file, &mut told)?;
        let picture = name("jpg");
        if self.probe.video.is_some() {
            let middle = f64::midpoint(part.start(), part.end());
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
                    std::fs::write(&words, webvtt::write(&clip_to(&self.cues, part)))?;
                    keep(&words)?
                },
            },
            file,
        })
    }

    /// All clips in one. It is named after the first: clips are replaced all at once
    /// and by ones of other ids, so what a worker makes that does not know yet has
    /// another name.
    fn reel(&self, first: ClipId, made: &[Made]) -> Result<StorageKey, Failure> {
        self.task.tell(CUTTING, "putting the reel together");
        let name = format!("highlights-{first}.mp4");
        let file = self.task.file(&name);
        let files: Vec<_> = made.iter().map(|made| made.file.as_path()).collect();
        let settings = CutSettings {
            composition: None,
            ..self.settings.clone()
        };
        let media = self.task.media(LIMIT);
        media.concat(&files, &settings, &file, &mut |_| {})?;
        self.put(&self.task.key(&name)?, &file)
    }

    fn put(&self, key: &ObjectKey, file: &Path) -> Result<StorageKey, Failure> {
        self.task.check()?;
        self.task.store().put(key, file, self.task.cancel())?;
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

//! Encodes the clips and joins them into a highlight reel. A clip whose files were made the
//! same way before is not encoded again.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use lectern_domain::{
    Clip, ClipFiles, ClipId, ClipLayout, ClipMediaUpdate, CutRecord, LayoutAnalysis, Patch,
    Resolution, Stage, StorageKey, TimeRange,
};
use lectern_formats::{Cue, InputFormat, clip_to, webvtt};
use lectern_media::{CutSettings, MediaInfo};
use lectern_storage::{ObjectKey, ObjectVersion};
use parking_lot::Mutex;
use ring::digest::{SHA256, digest};
use serde_json::json;

use super::clip_picture::{ClipPicture, note_reasons};
use super::picture_notes::note_conversions;
use super::subtitle_fonts::Alphabets;
use crate::failure::Failure;
use crate::heard_sound;
use crate::parallel;
use crate::stage_handler::{StageContext, StageHandler};
use crate::stage_output::{Notes, OutputRows, StageOutput};
use crate::work_source::{OutputKind, StoredOutputs};

/// Greatest height of a thumbnail, in pixels.
const THUMBNAIL_HEIGHT: u32 = 360;
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
        let StoredOutputs {
            clips,
            transcript,
            layout_analysis: layout,
            ..
        } = context.stored(&[
            OutputKind::Clips,
            OutputKind::Transcript,
            OutputKind::LayoutAnalysis,
        ])?;
        if clips.is_empty() {
            let output = OutputRows::ClipFiles {
                clips: Vec::new(),
                reel: Patch::Clear,
            };
            return Ok(StageOutput::from(output).with_warning("there are no clips to encode"));
        }
        let mut probe = context.probe_heard()?;
        let (mut valid, mut updates, mut notes) = (Vec::new(), Vec::new(), Notes::default());
        for clip in &clips {
            match probe.clamp_range(clip.time) {
                Ok(range) => valid.push((clip, range)),
                Err(error) => {
                    updates.push(ClipFiles {
                        clip_id: clip.clip_id,
                        media: clear_files(clip),
                        record: None,
                    });
                    notes.warning(format!("skipped the clip {:?}: {error}", &*clip.title));
                }
            }
        }
        if !valid.is_empty() {
            context.media().find_combing(&mut probe)?;
            note_conversions(&probe, context.tools.has_tone_mapping(), &mut notes);
        }
        let options = context.options();
        let alphabets = Alphabets::of(&transcript);
        let mut encoder = Encoder {
            context,
            probe: &probe,
            recording: recording_version(context)?,
            cues: transcript.into_iter().map(Cue::from).collect(),
            burns_subtitles: options.burn_subtitles.unwrap_or(false) && probe.video.is_some(),
            settings: CutSettings {
                resolution: options.resolution,
                loudness: options.loudness,
                ..CutSettings::default()
            },
            layout,
            clip_layout: options.clip_layout,
            seconds_done: Mutex::new(Vec::new()),
            total_seconds: 0.0,
        };
        let pictures = valid.iter().map(|(_, range)| encoder.picture(*range));
        note_reasons(pictures, &mut notes);
        let mut burned = String::new();
        for (clip, range) in &valid {
            burned.extend(encoder.burned_subtitles(clip, *range)?);
        }
        alphabets.note_missing_fonts(context, &burned, &mut notes)?;
        let mut cut_clips = Vec::with_capacity(valid.len());
        for (clip, range) in &valid {
            cut_clips.push(encoder.reuse(clip, *range)?);
        }
        let to_encode: Vec<_> = valid
            .iter()
            .zip(&cut_clips)
            .filter_map(|(clip, cut)| cut.is_none().then_some(*clip))
            .collect();
        encoder.seconds_done = Mutex::new(vec![0.0; to_encode.len()]);
        encoder.total_seconds = to_encode.iter().map(|(_, range)| range.duration()).sum();
        let new_clips = parallel::map(context.cancellation(), &to_encode, |i, (clip, range)| {
            encoder.encode_clip(i, clip, *range)
        })?;
        let reused = cut_clips.iter().flatten().count();
        if reused > 0 {
            notes.info(format!("reused the files of {reused} unchanged clips"));
        }
        let mut new_clips = new_clips.into_iter();
        let cut_clips: Vec<_> = cut_clips
            .into_iter()
            .filter_map(|reused| reused.or_else(|| new_clips.next()))
            .collect();
        let reel = encoder.reel(&valid, &cut_clips)?;
        let clip_ids = valid.iter().map(|(clip, _)| clip.clip_id);
        let cuts = clip_ids.zip(cut_clips);
        updates.extend(cuts.map(|(clip_id, cut)| ClipFiles {
            clip_id,
            media: cut.update,
            record: Some(cut.record),
        }));
        let output = OutputRows::ClipFiles {
            clips: updates,
            reel,
        };
        Ok(StageOutput::from(output).with_notes(notes))
    }
}

/// Clears the files of an earlier attempt from a clip that is skipped now.
fn clear_files(clip: &Clip) -> ClipMediaUpdate {
    ClipMediaUpdate {
        s3_key: Patch::Clear,
        thumbnail_s3_key: Patch::Clear,
        subtitle_s3_key: if clip.client_subtitles().is_some() {
            Patch::Keep
        } else {
            Patch::Clear
        },
    }
}

/// A text that changes whenever the recording is replaced.
fn recording_version(context: &StageContext<'_>) -> Result<String, Failure> {
    let info = context.storage().head(context.recording_key())?;
    Ok(info.map_or_else(String::new, |info| {
        info.etag
            .unwrap_or_else(|| format!("{} {}", info.size, info.last_modified))
    }))
}

/// The files of a clip.
struct CutClip {
    file: PathBuf,
    update: ClipMediaUpdate,
    record: CutRecord,
}

/// Greatest size of the subtitles that are drawn into a clip, in bytes.
const MAX_SUBTITLE_BYTES: u64 = 4 << 20;

fn text_digest(text: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// Changes whenever a new version of this program makes other files from the same
/// recording and settings.
const ENCODING: u32 = 2;

struct Encoder<'a> {
    context: &'a StageContext<'a>,
    probe: &'a MediaInfo,
    /// Changes whenever the recording is replaced.
    recording: String,
    cues: Vec<Cue>,
    /// Whether the subtitles are drawn into the picture.
    burns_subtitles: bool,
    /// Without a composition, which depends on the clip.
    settings: CutSettings,
    layout: Option<LayoutAnalysis>,
    /// Which parts of the picture the clips show.
    clip_layout: Option<ClipLayout>,
    /// For each clip, how many seconds are encoded.
    seconds_done: Mutex<Vec<f64>>,
    /// Total length of the clips.
    total_seconds: f64,
}

impl Encoder<'_> {
    /// The picture of a clip.
    fn picture(&self, range: TimeRange) -> ClipPicture {
        match &self.probe.video {
            Some(video) => {
                let layout = self.layout.as_deref();
                ClipPicture::of_range(range, layout, self.clip_layout, video)
            }
            None => ClipPicture::KEEP,
        }
    }

    /// How the files of a clip are made.
    fn record(&self, range: TimeRange, burned: Option<&str>) -> Result<CutRecord, Failure> {
        let audio = self.probe.audio.as_ref();
        let mut record = json!({
            "encoding": ENCODING,
            "audio": audio.map(|audio| heard_sound::metadata(self.probe, audio)),
            "mixed_with": audio.map(|audio| &audio.mixed_with),
            "recording": [self.context.recording_key().as_str(), self.recording],
            "range": [range.start(), range.end()],
            "crf": self.settings.crf,
            "preset": self.settings.preset,
            "resolution": self.settings.resolution.map(Resolution::as_str),
        });
        let picture = self.picture(range);
        picture.add_to_record(&mut record);
        if picture.is_composed() {
            // Records of earlier versions, whose thumbnails show the whole recording, lack it.
            record["thumbnail"] = "composed".into();
        }
        // Clips that were cut before there were these settings have records without them.
        if let Some(text) = burned {
            record["subtitles"] = text_digest(text).into();
        }
        if let Some(order) = self.probe.video.as_ref().and_then(|video| video.combed) {
            record["fields"] = format!("{order:?}").into();
        }
        if let Some(loudness) = self.settings.loudness {
            record["loudness"] = loudness.get().into();
        }
        Ok(CutRecord::new(record.to_string())?)
    }

    /// The files of a clip that were made the same way before, with subtitles of the current
    /// transcript. `None`: the clip has to be encoded.
    fn reuse(&self, clip: &Clip, range: TimeRange) -> Result<Option<CutClip>, Failure> {
        let record = self.record(range, self.burned_subtitles(clip, range)?.as_deref())?;
        if clip.is_stale() || clip.cut.record.as_ref() != Some(&record) {
            return Ok(None);
        }
        let video = self.existing_object(clip.media.s3_key.as_ref())?;
        let thumbnail = self.existing_object(clip.media.thumbnail_s3_key.as_ref())?;
        let Some(key) = video.filter(|_| thumbnail.is_some() || self.probe.video.is_none()) else {
            return Ok(None);
        };
        let storage = self.context.storage();
        let file = if let Some(file) = storage.local_file(&key)? {
            file
        } else {
            let file = self.scratch_file(clip, "mp4");
            storage.copy(&key, &file, self.context.cancellation())?;
            file
        };
        Ok(Some(CutClip {
            update: ClipMediaUpdate {
                subtitle_s3_key: self.update_subtitles(clip, range)?,
                ..ClipMediaUpdate::default()
            },
            file,
            record,
        }))
    }

    /// The object with this key, if the job may use it.
    fn existing_object(&self, key: Option<&StorageKey>) -> Result<Option<ObjectKey>, Failure> {
        let key = key.and_then(|key| ObjectKey::try_from(key.clone()).ok());
        let job = self.context.job();
        let is_forbidden =
            |key: &ObjectKey| key.is_forbidden_to_owner(job.job_id, job.owner_id.as_ref());
        let Some(key) = key.filter(|key| !is_forbidden(key)) else {
            return Ok(None);
        };
        let info = self.context.storage().head(&key)?;
        Ok(info.map(|_| key))
    }

    fn scratch_file(&self, clip: &Clip, extension: &str) -> PathBuf {
        self.context
            .scratch_file(&format!("{}.{extension}", clip.clip_id))
    }

    /// Encodes a clip with its thumbnail and subtitles, and stores the files. `i`
    /// is its index in `seconds_done`, and `range` its part of the recording.
    fn encode_clip(&self, i: usize, clip: &Clip, range: TimeRange) -> Result<CutClip, Failure> {
        let media = self.context.media();
        let file = self.scratch_file(clip, "mp4");
        let mut progress = |seconds| self.report_progress(i, seconds);
        let burned = self.burned_subtitles(clip, range)?;
        let mut settings = self.settings.clone();
        self.picture(range).apply_to(&mut settings);
        if let Some(text) = &burned {
            let file = self.scratch_file(clip, "burned.vtt");
            std::fs::write(&file, text)?;
            settings.subtitles = Some(file);
        }
        media.cut(self.probe, range, &settings, &file, &mut progress)?;
        let thumbnail = self.scratch_file(clip, "jpg");
        if self.probe.video.is_some() {
            media.clip_thumbnail(self.probe, range, &settings, THUMBNAIL_HEIGHT, &thumbnail)?;
        }
        Ok(CutClip {
            update: ClipMediaUpdate {
                s3_key: self.store_file(clip, clip.media.s3_key.as_ref(), &file)?,
                thumbnail_s3_key: match self.probe.video {
                    Some(_) => {
                        self.store_file(clip, clip.media.thumbnail_s3_key.as_ref(), &thumbnail)?
                    }
                    None => Patch::Clear,
                },
                subtitle_s3_key: self.update_subtitles(clip, range)?,
            },
            file,
            record: self.record(range, burned.as_deref())?,
        })
    }

    /// The WebVTT that is drawn into the picture: what a client has stored for the clip, or the
    /// transcript. `None` if there is nothing to draw.
    fn burned_subtitles(&self, clip: &Clip, range: TimeRange) -> Result<Option<String>, Failure> {
        if !self.burns_subtitles {
            return Ok(None);
        }
        let cues = match self.existing_object(clip.client_subtitles())? {
            Some(key) => {
                let storage = self.context.storage();
                let bytes = storage.read(&key, MAX_SUBTITLE_BYTES, self.context.cancellation())?;
                let bytes = bytes.unwrap_or_default();
                let read = InputFormat::from_filename(key.as_str())
                    .unwrap_or_else(|| InputFormat::of_content(&bytes))
                    .read(&bytes)
                    .and_then(|file| file.transcript(Some(range.duration())));
                let invalid = |error| {
                    let title = clip.title.as_str();
                    Failure::permanent(format!("the subtitles of the clip {title:?}: {error}"))
                };
                read.map_err(invalid)?.cues
            }
            None => clip_to(&self.cues, range),
        };
        Ok((!cues.is_empty()).then(|| webvtt::write(&cues)))
    }

    /// Stores the subtitles of a clip, unless it has these, or a client has stored
    /// subtitles: they may have corrections that the transcript lacks.
    fn update_subtitles(
        &self,
        clip: &Clip,
        range: TimeRange,
    ) -> Result<Patch<StorageKey>, Failure> {
        if clip.client_subtitles().is_some() {
            return Ok(Patch::Keep);
        }
        let text = webvtt::write(&clip_to(&self.cues, range));
        let stored = clip.media.subtitle_s3_key.as_ref();
        if let Some(key) = self.existing_object(stored)? {
            let info = self.context.storage().head(&key)?;
            let has_same_size = info.is_some_and(|info| info.size == text.len() as u64);
            let cancellation = self.context.cancellation();
            let read = || {
                let max_bytes = text.len() as u64;
                self.context.storage().read(&key, max_bytes, cancellation)
            };
            if has_same_size && read()?.is_some_and(|stored| stored == text.as_bytes()) {
                return Ok(Patch::Keep);
            }
        }
        let file = self.scratch_file(clip, "vtt");
        std::fs::write(&file, text)?;
        self.store_file(clip, stored, &file)
    }

    /// Stores a file of a clip. A file that replaces another one gets a name of its own:
    /// clients may be reading the old one, and the new one may never be referred to.
    fn store_file(
        &self,
        clip: &Clip,
        replaced: Option<&StorageKey>,
        file: &Path,
    ) -> Result<Patch<StorageKey>, Failure> {
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        let job_id = self.context.job().job_id;
        let first = ObjectKey::clip_file(job_id, clip.clip_id, None, &extension)?;
        let is_replacement = replaced.is_some_and(|key| {
            let key = ObjectKey::try_from(key.clone());
            key.is_ok_and(|key| key == first || key.is_replaced_by(&first))
        });
        let key = if is_replacement {
            let version = ObjectVersion::random()?;
            ObjectKey::clip_file(job_id, clip.clip_id, Some(&version), &extension)?
        } else {
            first
        };
        self.store(&key, file).map(Patch::Set)
    }

    /// The reel of the clips that were cut; none of no clips.
    fn reel(
        &self,
        clips: &[(&Clip, TimeRange)],
        cut_clips: &[CutClip],
    ) -> Result<Patch<StorageKey>, Failure> {
        let Some((first, _)) = clips.first() else {
            return Ok(Patch::Clear);
        };
        let videos = clips.iter().zip(cut_clips).filter_map(|((clip, _), cut)| {
            let video = &cut.update.s3_key;
            video.applied_to(clip.media.s3_key.as_ref())
        });
        let videos: Vec<StorageKey> = videos.collect();
        self.join(first.clip_id, cut_clips, &videos).map(Patch::Set)
    }

    /// Joins all clips and stores the reel, which is named after the id of its first
    /// clip and the keys of their `videos`. A reel that replaces another one gets a name of its
    /// own, as the files of clips do.
    fn join(
        &self,
        first: ClipId,
        clips: &[CutClip],
        videos: &[StorageKey],
    ) -> Result<StorageKey, Failure> {
        self.context
            .report_progress(ENCODING_PERCENT, "joining the clips");
        let job = self.context.job();
        let version = match job.compiled_video_s3_key {
            Some(_) => Some(ObjectVersion::random()?),
            None => None,
        };
        let file = self
            .context
            .scratch_file(&format!("highlights-{first}.mp4"));
        let files: Vec<_> = clips.iter().map(|clip| clip.file.as_path()).collect();
        let media = self.context.media();
        media.concat(&files, &self.settings, &file, &mut |_| {})?;
        let key = ObjectKey::reel(job.job_id, first, videos, version.as_ref());
        self.store(&key, &file)
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

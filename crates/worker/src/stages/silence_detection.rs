//! Finds silence and black pictures, and stores the recording's properties, its
//! waveform and its thumbnails.

use lectern_analysis::silence_region::{SilenceRules, merge};
use lectern_domain::{
    Decibels, JsonObject, NewSilenceRegion, RecordingProperties, SilenceLevel, Stage, TimeRange,
    VideoDuration,
};
use lectern_media::{
    MeasuredSound, MediaInfo, SampledFiles, SilenceRegions, SilenceSettings, StereoChannel,
};
use serde_json::{Value, json};

use super::layout_frames;
use super::picture_notes::note_changes;
use super::{thumbnails, waveform};
use crate::chapters;
use crate::failure::Failure;
use crate::heard_sound;
use crate::stage_handler::{StageContext, StageHandler};
use crate::stage_output::{Notes, OutputRows, StageOutput};

/// The progress message while silence is detected, in this and other stages.
pub(super) const PROGRESS_MESSAGE: &str = "looking for silence";

/// A picture that ends this much before the recording is no accident of the container, in
/// seconds.
const EARLY_END_SECONDS: f64 = 2.0;

/// Finds silence and black pictures.
#[derive(Debug)]
pub(super) struct SilenceDetection;

impl StageHandler for SilenceDetection {
    fn stage(&self) -> Stage {
        Stage::SilenceDetection
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let options = context.options();
        let probe = context.probe()?.with_audio_track(options.audio_track)?;
        let mut progress = context.progress_reporter(probe.duration, 0.0..100.0, PROGRESS_MESSAGE);
        let sampling = match context.sampled_frames()?.begin() {
            Some(sampling) => Some((sampling, layout_frames::new_file(context)?)),
            None => None,
        };
        let sprite = thumbnails::new_file(context, &probe);
        let files = SampledFiles {
            frames: sampling.as_ref().map(|(_, frames)| &frames.file),
            sprite: sprite.as_ref(),
        };
        let (regions, detected) = detect(context, &probe, files, &mut progress)?;
        if let Some((sampling, frames)) = sampling
            // After damage, single frames may still be found by seeking.
            && detected.read_to >= probe.duration
            && frames.file.path().exists()
        {
            sampling.finish(frames);
        }
        let mut notes = notes(&probe, &detected);
        note_changes(&context.media().formats(&probe)?, &mut notes);
        waveform::store(context, detected.sound.as_ref(), &mut notes)?;
        thumbnails::store(context, sprite.as_ref(), &probe, &detected, &mut notes)?;
        let chapters = chapters::read(context, &probe, &mut notes)?;
        let mut metadata = metadata(&probe, detected.sound.as_ref());
        metadata.insert("chapters".to_owned(), chapters::metadata(&chapters));
        let recording = RecordingProperties {
            duration: VideoDuration::new(probe.duration)?,
            metadata: JsonObject::new(metadata)?,
        };
        let output = StageOutput::from(OutputRows::SilenceRegions {
            regions,
            recording: Some(recording),
        });
        Ok(output.with_notes(notes))
    }
}

/// Detects silent and black regions. Returns them merged, and as ffmpeg detected
/// them. `files` are written in the same pass. `progress` gets the seconds done.
pub(super) fn detect(
    context: &StageContext<'_>,
    probe: &MediaInfo,
    files: SampledFiles<'_>,
    progress: &mut dyn FnMut(f64),
) -> Result<(Vec<NewSilenceRegion>, SilenceRegions), Failure> {
    let options = context.options();
    let settings = SilenceSettings {
        level: options.silence_level.unwrap_or(SilenceLevel::Auto),
        may_change_track: options.audio_track.is_none(),
        ..SilenceSettings::default()
    };
    let media = context.media();
    let detected = media.detect_silence_and_sample(probe, settings, files, progress)?;
    let pairs = |ranges: &Option<Vec<TimeRange>>| -> Vec<_> {
        let ranges = ranges.iter().flatten();
        ranges.map(|range| (range.start(), range.end())).collect()
    };
    let rules = SilenceRules {
        min_length: settings.min_duration,
        amplitude_threshold: detected
            .sound
            .as_ref()
            .map(|sound| Decibels::new(sound.silence_dbfs))
            .transpose()?,
    };
    let regions = merge(&pairs(&detected.audio), &pairs(&detected.blank), &rules)?;
    Ok((regions, detected))
}

/// The job's `video_metadata`.
fn metadata(probe: &MediaInfo, sound: Option<&MeasuredSound>) -> serde_json::Map<String, Value> {
    let video = probe.video.as_ref().map(|video| {
        json!({
            "codec": video.codec,
            "width": video.width,
            "height": video.height,
            "rotation": video.rotation,
            "frame_rate": video.frame_rate.get(),
            "variable_frame_rate": video.variable_frame_rate,
        })
    });
    let audio = sound.map(|sound| heard_sound::metadata(probe, &sound.audio));
    let subtitles: Vec<_> = probe
        .subtitles
        .iter()
        .map(|track| json!({ "codec": track.codec, "language": track.language }))
        .collect();
    serde_json::Map::from_iter([
        ("format".to_owned(), json!(probe.format_name)),
        ("size".to_owned(), json!(probe.size)),
        ("video".to_owned(), json!(video)),
        ("audio".to_owned(), json!(audio)),
        ("subtitles".to_owned(), json!(subtitles)),
    ])
}

/// Notes that explain an unexpected result.
fn notes(probe: &MediaInfo, detected: &SilenceRegions) -> Notes {
    let mut notes = Notes::default();
    match &detected.sound {
        Some(sound) => sound_notes(probe, sound, &mut notes),
        None => notes.warning("the recording has no sound"),
    }
    if probe.has_clock_restarts {
        notes.info(format!(
            "the clock of the recording starts anew or jumps: its parts were joined, and last \
             {:.1} s together",
            probe.duration
        ));
    }
    if detected.blank.is_none() {
        notes.info("the recording has no picture");
    }
    if let Some(end) = probe.picture_end
        && end + EARLY_END_SECONDS < probe.duration
    {
        let duration = probe.duration;
        notes.warning(format!(
            "the picture ends at {end:.1} s of {duration:.1} s; the clips show the last picture from \
             then on"
        ));
    }
    if !detected.warnings.is_empty() {
        let warnings = detected.warnings.join("; ");
        notes.warning(if detected.read_to < probe.duration {
            let (read_to, duration) = (detected.read_to, probe.duration);
            format!(
                "the recording is damaged; it was read to {read_to:.1} s of {duration:.1} s: \
                 {warnings}"
            )
        } else {
            format!("the recording is damaged: {warnings}")
        });
    }
    notes
}

/// Notes on the sound that is heard in the clips.
fn sound_notes(probe: &MediaInfo, sound: &MeasuredSound, notes: &mut Notes) {
    let number = probe.audio_track_number(&sound.audio);
    let count = probe.audio_tracks.len();
    if let Some(silent) = &sound.silent_track {
        let silent = probe.audio_track_number(silent);
        notes.info(format!(
            "audio track {silent} is silent; audio track {number} of {count} is used"
        ));
    } else if !sound.audio.mixed_with.is_empty() {
        notes.info(format!("the {count} audio tracks are mixed"));
    } else if count > 1 {
        notes.info(format!("audio track {number} of {count} is used"));
    }
    if let Some(channel) = sound.audio.only_channel {
        let channel = match channel {
            StereoChannel::Left => "left",
            StereoChannel::Right => "right",
        };
        notes.info(format!(
            "the channels are not stereo: one is silent or cancels the other; the {channel} \
             channel is used for both"
        ));
    }
    match sound.mean_level {
        None => notes.warning("there is only silence in the audio track"),
        Some(dbfs) => notes.info(format!(
            "the level of the sound is {dbfs:.0} dBFS; below {:.1} dBFS it is taken for silence",
            sound.silence_dbfs
        )),
    }
    if sound.voice_seconds > 0.0 {
        notes.info(format!(
            "in {:.1} min, the level of the sound shows no pauses: a detector of voices has found \
             them",
            sound.voice_seconds / 60.0
        ));
    }
    if sound.sample_rates.len() > 1 {
        let rates: Vec<_> = sound.sample_rates.iter().map(u32::to_string).collect();
        notes.info(format!(
            "the sample rate of the sound changes within the recording ({} Hz): the clips have \
             48000 Hz",
            rates.join(", ")
        ));
    }
    if let Some(end) = sound.ends_early_at {
        let duration = probe.duration;
        notes.warning(format!(
            "the sound ends at {end:.1} s of {duration:.1} s; the rest is silent"
        ));
    }
}

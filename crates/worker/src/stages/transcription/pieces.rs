//! Pieces of the recording, heard side by side.

use std::sync::{Mutex, PoisonError};

use lectern_analysis::chunking::{self, ChunkRules};
use lectern_analysis::silence_region::audio_silences;
use lectern_domain::{TimeRange, VideoDuration};
use lectern_formats::{Cue, millis};
use lectern_media::Probe;

use super::super::silence::{DOING, regions};
use super::Recognizer;
use crate::stage::StageContext;
use crate::{Failure, side_by_side};

/// How much of the work is looking for silences; the rest is hearing.
const LOOKING: f64 = 5.0;

/// Cuts the recording at silences, and has each piece heard.
pub(super) fn recognize(
    recognizer: &dyn Recognizer,
    task: &StageContext<'_>,
    probe: &Probe,
) -> Result<Vec<Cue>, Failure> {
    let silences = silences(task, probe)?;
    let duration = VideoDuration::new(probe.duration)?;
    let pieces = chunking::split(duration, &silences, &ChunkRules::default())?;
    let all = pieces.iter().map(|piece| piece.duration()).sum();
    let done = Mutex::new((0.0, task.telling(all, LOOKING..100.0, "listening")));
    let heard = side_by_side::map(task.cancel(), &pieces, |i, piece| {
        let cues = hear(recognizer, task, probe, i, *piece)?;
        // Held until it is told, so that who comes later tells more.
        let (done, told) = &mut *done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += piece.duration();
        told(*done);
        Ok::<_, Failure>(cues)
    })?;
    Ok(heard.into_iter().flatten().collect())
}

/// Where nothing is heard: as another stage has found it, or, if that is not
/// done yet, as it is found here.
fn silences(task: &StageContext<'_>, probe: &Probe) -> Result<Vec<TimeRange>, Failure> {
    let job_id = task.job().job_id;
    let known = task
        .db()
        .read(|conn| conn.silence_regions().for_job(job_id))?;
    if known.is_empty() {
        // To decode the picture takes many times as long, and says nothing here.
        let sound = Probe {
            video: None,
            ..probe.clone()
        };
        // Without a word on how long it takes: that is soon over, and most is left.
        let mut told = |done: f64| task.tell(LOOKING * (done / probe.duration).min(1.0), DOING);
        let found = regions(task, &sound, &mut told)?.0;
        return Ok(audio_silences(
            found
                .iter()
                .map(|region| (region.time, region.silence_type)),
        ));
    }
    Ok(audio_silences(
        known
            .iter()
            .map(|region| (region.time, region.silence_type)),
    ))
}

fn hear(
    recognizer: &dyn Recognizer,
    task: &StageContext<'_>,
    probe: &Probe,
    i: usize,
    piece: TimeRange,
) -> Result<Vec<Cue>, Failure> {
    task.check()?;
    let file = task.file(&format!("piece-{i}.wav"));
    let media = task.media(super::super::LOOKING);
    media.extract_audio(probe, piece, &file, &mut |_| {})?;
    let cues = recognizer.hear(&file, task)?;
    std::fs::remove_file(&file)?;
    // Some have the last words end after the sound does, and so in the next piece.
    let (start, end) = (millis(piece.start()), millis(piece.end()));
    let within = |ms: u64| start.saturating_add(ms).min(end);
    let place = |cue: Cue| {
        let (from, to) = (within(cue.start_ms()), within(cue.end_ms()));
        cue.with_times(from, to)
    };
    Ok(cues.into_iter().map(place).collect())
}

//! Pieces of the recording, heard side by side.

use std::sync::{Mutex, PoisonError};

use lectern_analysis::chunks::{self, ChunkRules};
use lectern_analysis::silences::quiet;
use lectern_domain::{TimeRange, VideoDuration};
use lectern_formats::{Cue, millis};
use lectern_media::Probe;

use super::Recognizer;
use crate::task::Task;
use crate::{Failure, side_by_side};

/// How much of the work is looking for silences; the rest is hearing.
const LOOKING: f64 = 5.0;

/// Cuts the recording at silences, and has each piece heard.
pub(super) fn recognize(
    recognizer: &dyn Recognizer,
    task: &Task<'_>,
    probe: &Probe,
) -> Result<Vec<Cue>, Failure> {
    let silences = silences(task, probe)?;
    let duration = VideoDuration::new(probe.duration)?;
    let pieces = chunks::cut(duration, &silences, &ChunkRules::default())?;
    let done = Mutex::new(0);
    let tell = |more: usize| {
        // Held until it is told, so that who comes later tells more.
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += more;
        let percent = LOOKING + (100.0 - LOOKING) * *done as f64 / pieces.len() as f64;
        task.tell(percent, &format!("{done} of {} pieces", pieces.len()));
    };
    tell(0);
    let heard = side_by_side::map(&pieces, |i, piece| {
        let cues = hear(recognizer, task, probe, i, *piece)?;
        tell(1);
        Ok::<_, Failure>(cues)
    })?;
    Ok(heard.into_iter().flatten().collect())
}

/// Where nothing is heard: as another stage has found it, or, if that is not
/// done yet, as it is found here.
fn silences(task: &Task<'_>, probe: &Probe) -> Result<Vec<TimeRange>, Failure> {
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
        let found = super::super::silence::regions(task, &sound, 0.0..LOOKING)?.0;
        return Ok(quiet(
            found
                .iter()
                .map(|region| (region.time, region.silence_type)),
        ));
    }
    Ok(quiet(
        known
            .iter()
            .map(|region| (region.time, region.silence_type)),
    ))
}

fn hear(
    recognizer: &dyn Recognizer,
    task: &Task<'_>,
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
    let later = i64::try_from(millis(piece.start())).unwrap_or_default();
    Ok(cues
        .into_iter()
        .filter_map(|cue| cue.shift(later))
        .collect())
}

//! Pieces of the recording, heard side by side.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use lectern_analysis::chunks::{self, ChunkRules};
use lectern_analysis::silences::quiet;
use lectern_domain::{TimeRange, VideoDuration};
use lectern_formats::{Cue, millis};
use lectern_media::Probe;

use super::Recognizer;
use crate::Failure;
use crate::task::Task;

/// Cuts the recording at silences, and has each piece heard.
pub(super) fn recognize(
    recognizer: &dyn Recognizer,
    task: &Task<'_>,
    probe: &Probe,
) -> Result<Vec<Cue>, Failure> {
    let silences = silences(task, probe)?;
    let duration = VideoDuration::new(probe.duration)?;
    let pieces = chunks::cut(duration, &silences, &ChunkRules::default())?;
    let heard: Mutex<Vec<Vec<Cue>>> = Mutex::new(vec![Vec::new(); pieces.len()]);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tell = |done: usize| {
        let percent = 100.0 * done as f64 / pieces.len() as f64;
        task.tell(percent, &format!("{done} of {} pieces", pieces.len()));
    };
    tell(0);
    let listen = || -> Result<(), Failure> {
        loop {
            let i = next.fetch_add(1, Ordering::SeqCst);
            let Some(piece) = pieces.get(i) else {
                return Ok(());
            };
            let cues = hear(recognizer, task, probe, i, *piece)?;
            heard.lock().unwrap_or_else(PoisonError::into_inner)[i] = cues;
            tell(done.fetch_add(1, Ordering::SeqCst) + 1);
        }
    };
    let at_once = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(pieces.len());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(listen)).collect();
        let ended = threads.into_iter().map(|thread| match thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect::<Result<Vec<()>, _>>()
    })?;
    let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
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
        let found = super::super::silence::regions(task, probe)?.0;
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

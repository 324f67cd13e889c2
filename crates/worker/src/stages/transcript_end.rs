//! Where a transcript ends, compared with the recording.

use lectern_domain::{TimeRange, TranscriptSegment, VideoDuration};

use crate::stage_output::Notes;

/// A note says that the transcript ends early if at least this much sound follows, in seconds,
/// and this share of the recording.
const MIN_SOUND_AFTER: f64 = 60.0;
const MIN_SHARE_AFTER: f64 = 0.25;

/// Removes the segments that begin after the end of the recording, and cuts the others there.
/// Clients may store such segments. Notes their number, and that sound follows the transcript.
pub(super) fn cut(
    transcript: &mut Vec<TranscriptSegment>,
    duration: VideoDuration,
    silences: &[TimeRange],
    notes: &mut Notes,
) {
    let duration = duration.get();
    let count = transcript.len();
    transcript.retain(|segment| segment.time.start() < duration);
    let late = count - transcript.len();
    if late > 0 {
        let (begin, are) = if late == 1 {
            ("begins", "is")
        } else {
            ("begin", "are")
        };
        notes.warning(format!(
            "{late} of {count} segments of the transcript {begin} after the end of the recording \
             ({duration:.0} s) and {are} not used"
        ));
    }
    for segment in transcript.iter_mut() {
        let start = segment.time.start();
        if segment.time.end() > duration
            && let Ok(time) = TimeRange::new(start, duration)
        {
            segment.data.time = time;
        }
    }
    let end = transcript.iter().map(|segment| segment.time.end());
    let Some(end) = end.reduce(f64::max) else {
        return;
    };
    // The silences are disjoint.
    let silent = silences.iter().map(|silence| {
        let start = silence.start().max(end);
        (silence.end().min(duration) - start).max(0.0)
    });
    let sound = duration - end - silent.sum::<f64>();
    if sound >= MIN_SOUND_AFTER && sound >= MIN_SHARE_AFTER * duration {
        notes.info(format!(
            "the transcript ends at {end:.0} s, but {sound:.0} s of sound follow: it may cover \
             only a part of the recording ({duration:.0} s)"
        ));
    }
}

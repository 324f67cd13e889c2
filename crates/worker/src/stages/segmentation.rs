//! Which parts become clips.

use lectern_analysis::clip::{self, ClipRules};
use lectern_analysis::silence_region::audio_silences;
use lectern_analysis::{ContentSegmentRef, TranscriptSegmentRef};
use lectern_db::Tx;
use lectern_domain::{NewClip, Stage, VideoDuration};

use crate::Failure;
use crate::stage::{StageContext, StageHandler, StageOutput};

/// Picks the clips.
#[derive(Debug)]
pub(super) struct Segmentation;

impl StageHandler for Segmentation {
    fn stage(&self) -> Stage {
        Stage::Segmentation
    }

    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let job_id = task.job().job_id;
        let (parts, transcript, silences) = task.db().read(|conn| {
            Ok::<_, lectern_db::Error>((
                conn.content_segments().for_job(job_id)?,
                conn.transcripts().for_job(job_id)?,
                conn.silence_regions().for_job(job_id)?,
            ))
        })?;
        let duration = match task.job().video_duration {
            Some(duration) => duration,
            None => VideoDuration::new(task.probe()?.duration)?,
        };
        let picked = clip::select(
            &parts
                .iter()
                .map(|part| ContentSegmentRef {
                    time: part.time,
                    topic: &part.topic,
                    importance_score: part.importance_score,
                    keywords: &part.keywords,
                })
                .collect::<Vec<_>>(),
            &transcript
                .iter()
                .map(TranscriptSegmentRef::from)
                .collect::<Vec<_>>(),
            &audio_silences(
                silences
                    .iter()
                    .map(|found| (found.time, found.silence_type)),
            ),
            duration,
            &ClipRules::default(),
        )?;
        let clips: Vec<_> = picked
            .into_iter()
            .map(|picked| NewClip {
                content_segment_id: picked
                    .segment_index
                    .and_then(|part| parts.get(part))
                    .map(|part| part.segment_id),
                ..picked.clip
            })
            .collect();
        Ok(StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
            tx.clips().replace_for_job(job_id, &clips).map(drop)
        }))
    }
}

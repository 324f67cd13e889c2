//! What the recording is about.

use lectern_analysis::content_segment;
use lectern_db::Tx;
use lectern_domain::Stage;

use super::ChatService;
use crate::Failure;
use crate::stage::{StageContext, StageHandler, StageOutput};

/// Finds the topics: by a service, or by itself.
#[derive(Debug)]
pub(super) struct Content(pub(super) Option<ChatService>);

impl StageHandler for Content {
    fn stage(&self) -> Stage {
        Stage::ContentAnalysis
    }

    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let job_id = task.job().job_id;
        let transcript = task.db().read(|conn| conn.transcripts().for_job(job_id))?;
        let (found, note) = match &self.0 {
            Some(chat) if !transcript.is_empty() => match chat.topics(&transcript, task) {
                Ok(found) => (found, None),
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(failure) => (
                    content_segment::find(&transcript)?,
                    Some(format!(
                        "topics were found without {}: {failure}",
                        chat.0.place()
                    )),
                ),
            },
            _ => (content_segment::find(&transcript)?, None),
        };
        let found = StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
            tx.content_segments()
                .replace_for_job(job_id, &found)
                .map(drop)
        });
        Ok(StageOutput { note, ..found })
    }
}

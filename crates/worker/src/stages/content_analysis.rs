//! Finds the topics of a recording.

use lectern_analysis::content_segment;
use lectern_db::Tx;
use lectern_domain::Stage;

use super::openai::ChatService;
use crate::failure::Failure;
use crate::stage_handler::{Notes, StageContext, StageHandler, StageOutput};

/// Finds the topics in the transcript: with a service if there is one and it
/// succeeds, otherwise locally.
#[derive(Debug)]
pub(super) struct ContentAnalysis(pub(super) Option<ChatService>);

impl StageHandler for ContentAnalysis {
    fn stage(&self) -> Stage {
        Stage::ContentAnalysis
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let job_id = context.job().job_id;
        let transcript = context
            .db()
            .read(|conn| conn.transcripts().for_job(job_id))?;
        let mut notes = Notes::default();
        let segments = match &self.0 {
            Some(chat) if !transcript.is_empty() => match chat.topics(&transcript, context) {
                Ok(segments) => segments,
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(failure) => {
                    notes.warning(format!(
                        "the chat service failed, and topics were found locally: {failure}"
                    ));
                    content_segment::find(&transcript)?
                }
            },
            _ => content_segment::find(&transcript)?,
        };
        let output = StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
            tx.content_segments()
                .replace_for_job(job_id, &segments)
                .map(drop)
        });
        Ok(output.with_notes(notes))
    }
}

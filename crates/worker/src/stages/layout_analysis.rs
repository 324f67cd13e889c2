//! Finds the screen and the camera in the picture.

use lectern_analysis::layout_analysis;
use lectern_domain::Stage;
use lectern_media::Error;

use super::layout_frames;
use super::stretch_borders::{find_borders, views};
use crate::failure::Failure;
use crate::stage_handler::{StageContext, StageHandler};
use crate::stage_output::{OutputRows, StageOutput};

/// Finds the screen and the camera in the picture.
#[derive(Debug)]
pub(super) struct LayoutAnalysis;

impl StageHandler for LayoutAnalysis {
    fn stage(&self) -> Stage {
        Stage::LayoutAnalysis
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let probe = context.probe()?;
        let Some(video) = &probe.video else {
            // The notes of the silence detection say that there is no picture.
            return Ok(StageOutput::unchanged());
        };
        let media = context.media();
        let mut progress = context.progress_reporter(probe.duration, 0.0..75.0, "analysing frames");
        let sampled = match layout_frames::take_or_sample(context, &probe, &mut progress)? {
            // For example, cover art: a single frame at the start of hours of sound.
            Err(Error::NoVideo) => None,
            sampled => Some(sampled?),
        };
        let frames = sampled.as_ref().map(views).unwrap_or_default();
        let mut analysis = layout_analysis::analyse(&frames, video.width, video.height)?;
        let step = probe.duration / frames.len().max(1) as f64;
        // Further frames take memory, for which others may be waiting.
        drop(sampled);
        let mut progress = context.progress_reporter(1.0, 75.0..95.0, "finding changes of layout");
        find_borders(&media, &probe, &mut analysis, step, &mut progress)?;
        Ok(OutputRows::LayoutAnalysis(Box::new(analysis)).into())
    }
}

//! What the picture consists of.

use lectern_analysis::layout_analysis::{self, GrayFrame};
use lectern_db::Tx;
use lectern_domain::Stage;
use lectern_media::{Error, Frames};

use crate::Failure;
use crate::stage::{StageContext, StageHandler, StageOutput};

/// How many frames are looked at.
const FRAMES: u32 = 120;
/// How high they are, in pixels.
const HEIGHT: u32 = 144;

/// Finds the screen and the camera in the picture.
#[derive(Debug)]
pub(super) struct Layout;

impl StageHandler for Layout {
    fn stage(&self) -> Stage {
        Stage::LayoutAnalysis
    }

    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let probe = task.probe()?;
        let Some(video) = &probe.video else {
            let nothing = StageOutput::new(|_, _| Ok(()));
            return Ok(nothing.saying("the recording has no picture"));
        };
        let mut told = task.telling(probe.duration, 0.0..95.0, "looking at frames");
        let media = task.media(super::LOOKING);
        let sampled = match media.sample_frames(&probe, FRAMES, HEIGHT, &mut told) {
            // A cover, say, that is one frame at the start of hours of sound.
            Err(Error::NoVideo) => Frames {
                source_width: video.width,
                source_height: video.height,
                frames: Vec::new(),
            },
            sampled => sampled?,
        };
        let views: Vec<_> = sampled
            .frames
            .iter()
            .map(|frame| GrayFrame {
                width: frame.picture.width as usize,
                height: frame.picture.height as usize,
                data: &frame.picture.data,
                time: frame.time,
            })
            .collect();
        let found = layout_analysis::analyse(&views, sampled.source_width, sampled.source_height)?;
        Ok(StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
            tx.layout_analysis().put(job_id, &found).map(drop)
        }))
    }
}

//! Thumbnails along a recording, as files of its job: small pictures in one JPEG, and WebVTT that
//! says for each time where in it its picture is.

use std::fs;

use lectern_domain::{Invalid, SpokenText};
use lectern_formats::{Cue, millis, webvtt};
use lectern_media::{MediaInfo, SilenceRegions, SpriteFile, Tile};
use lectern_storage::ObjectKey;

use super::waveform::store_extra;
use crate::failure::Failure;
use crate::stage_handler::StageContext;
use crate::stage_output::Notes;

/// A file for the thumbnails. `None` if the recording has no picture.
pub(super) fn new_file(context: &StageContext<'_>, recording: &MediaInfo) -> Option<SpriteFile> {
    SpriteFile::new(context.scratch_file("thumbnails.jpg"), recording)
}

/// Stores the thumbnails, in place of earlier ones. Without a picture there are none; earlier ones,
/// of a recording that was replaced, become an empty file.
pub(super) fn store(
    context: &StageContext<'_>,
    sprite: Option<&SpriteFile>,
    recording: &MediaInfo,
    detected: &SilenceRegions,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let job_id = context.job().job_id;
    let cues_key = ObjectKey::thumbnail_cues(job_id);
    // The places after the last picture are black.
    let end = recording.picture_end.unwrap_or(f64::INFINITY);
    let end = end.min(detected.read_to);
    let sprite = sprite.filter(|sprite| sprite.is_complete());
    let cues = sprite
        .into_iter()
        .flat_map(|sprite| sprite.tiles_before(end))
        .map(|tile| Ok(cue(tile)?))
        .collect::<Result<Vec<_>, Failure>>()?;
    if cues.is_empty() && context.storage().head(&cues_key)?.is_none() {
        return Ok(());
    }
    if let Some(sprite) = sprite {
        let key = ObjectKey::thumbnails(job_id);
        store_extra(context, &key, sprite.path(), "the thumbnails", notes)?;
    }
    let file = context.scratch_file("thumbnails.vtt");
    fs::write(&file, webvtt::write(&cues))?;
    store_extra(
        context,
        &cues_key,
        &file,
        "the times of the thumbnails",
        notes,
    )
}

/// The cue of a tile: the JPEG beside the file, and a part of it (Media Fragments URI, 4.2.2).
fn cue(tile: Tile) -> Result<Cue, Invalid> {
    let [x, y, width, height] = tile.place;
    let text = SpokenText::new(format!("thumbnails.jpg#xywh={x},{y},{width},{height}"))?;
    Ok(Cue::new(millis(tile.time.0), millis(tile.time.1), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_a_cue_with_its_place() {
        let tile = Tile {
            time: (3_636.0, 3_672.04),
            place: [160, 90, 160, 90],
        };
        assert_eq!(
            webvtt::write(&[cue(tile).unwrap()]),
            "WEBVTT\n\n01:00:36.000 --> 01:01:12.040\nthumbnails.jpg#xywh=160,90,160,90\n"
        );
    }
}

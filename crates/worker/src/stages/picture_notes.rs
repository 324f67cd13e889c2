//! Notes on conversions of the picture and the sound.

use lectern_media::{FieldOrder, Formats, HdrTransfer, MediaInfo};

use crate::stage_output::Notes;

/// Notes what is done with the pictures of clips. `maps_tones`: whether ffmpeg can convert pictures
/// of high dynamic range.
pub(super) fn note_conversions(recording: &MediaInfo, maps_tones: bool, notes: &mut Notes) {
    let Some(video) = &recording.video else {
        return;
    };
    if let Some(order) = video.combed {
        let first = match order {
            FieldOrder::TopFirst => "top",
            FieldOrder::BottomFirst => "bottom",
        };
        notes.info(format!(
            "the picture is interlaced, {first} field first, which the file does not say: it is \
             deinterlaced in the clips"
        ));
    } else if video.is_interlaced && video.rotation == 0 {
        notes.info("the picture is interlaced: it is deinterlaced in the clips");
    }
    let Some(transfer) = video.hdr else {
        return;
    };
    let transfer = match transfer {
        HdrTransfer::Pq => "PQ",
        HdrTransfer::Hlg => "HLG",
    };
    if maps_tones {
        notes.info(format!(
            "the picture has a high dynamic range ({transfer}): it is converted to the standard \
             range (BT.709) in the clips"
        ));
    } else {
        notes.warning(format!(
            "the picture has a high dynamic range ({transfer}), which this ffmpeg cannot convert, \
             because it lacks the filter zscale: some players show the clips too dark or pale"
        ));
    }
}

/// Notes that the format changes within the recording.
pub(super) fn note_changes(formats: &Formats, notes: &mut Notes) {
    if formats.sizes.len() > 1 {
        let size = |(width, height): &(u32, u32)| format!("{width} × {height}");
        let sizes: Vec<String> = formats.sizes.iter().map(size).collect();
        notes.info(format!(
            "the size of the picture changes within the recording ({}): the clips have one size, \
             with black bars where the shape is another",
            sizes.join(", ")
        ));
    }
    if formats.channels.len() > 1 {
        let counts: Vec<String> = formats.channels.iter().map(u32::to_string).collect();
        notes.info(format!(
            "the number of audio channels changes within the recording ({}): the clips have the \
             same for all of it",
            counts.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(sizes: &[(u32, u32)], channels: &[u32]) -> Vec<String> {
        let mut notes = Notes::default();
        let formats = Formats {
            sizes: sizes.to_vec(),
            channels: channels.to_vec(),
        };
        note_changes(&formats, &mut notes);
        let stored = notes.to_stored().unwrap().into_iter();
        stored.map(|note| note.message.to_string()).collect()
    }

    #[test]
    fn only_changes_are_noted() {
        assert!(changes(&[(320, 180)], &[2]).is_empty() && changes(&[], &[]).is_empty());
        let [size, channels] = &changes(&[(320, 180), (426, 240)], &[2, 6])[..] else {
            panic!("not two notes");
        };
        assert!(size.contains("(320 × 180, 426 × 240)"), "{size}");
        assert!(channels.contains("(2, 6)"), "{channels}");
    }
}

//! Checks the headers of a recording against the [`RecordingLimits`], and whether its
//! duration is credible.

use super::ffprobe::Headers;
use super::recording::VideoStream;
use crate::error::ProbeError;
use crate::recording_limits::RecordingLimits;

/// The bytes per second of a recording whose duration in the headers is credible. The
/// sparsest speech takes 750 bytes per second, and the densest video 300 million. Below
/// the lower bound, the duration is measured, which is quick: 24 hours of such a recording
/// have less than 350 MB.
const CREDIBLE_BYTES_PER_SECOND: std::ops::Range<f64> = 4e3..1e9;
/// How long after the time of its last packet a recording may end, in seconds, because
/// the last picture may be shown for this long.
const LAST_PACKET_SECONDS: f64 = 10.0;

/// Whether a file of this size can have the duration, in seconds, that its headers
/// claim. Also false for a sparse recording, which is then measured.
pub(super) fn is_credible(duration: f64, size: u64) -> bool {
    CREDIBLE_BYTES_PER_SECOND.contains(&(size as f64 / duration))
}

/// The duration of a recording whose packets end at `measured` seconds: the duration
/// `claimed` by the headers if it is longer by less than [`LAST_PACKET_SECONDS`],
/// and otherwise `measured`.
pub(super) fn confirmed_duration(claimed: Option<f64>, measured: f64) -> f64 {
    claimed
        .filter(|claimed| (0.0..LAST_PACKET_SECONDS).contains(&(claimed - measured)))
        .unwrap_or(measured)
}

/// Checks the number of tracks and the picture.
pub(super) fn check_tracks(headers: &Headers, limits: &RecordingLimits) -> Result<(), ProbeError> {
    let (count, max) = (headers.stream_count, limits.max_streams);
    if count > max {
        return beyond(format!("it has {count} tracks, more than {max}"));
    }
    headers
        .video
        .as_ref()
        .map_or(Ok(()), |video| check_picture(video, limits))
}

/// Checks the size of the picture, as stored and as displayed: filters process both,
/// and pixels that are not square can make the displayed picture much larger.
fn check_picture(video: &VideoStream, limits: &RecordingLimits) -> Result<(), ProbeError> {
    let (width, height) = (f64::from(video.width), f64::from(video.height));
    let square_width = (width * video.pixel_aspect).round();
    for width in [width, square_width] {
        let size = format!("its picture has {width} × {height} pixels");
        if width.max(height) > f64::from(limits.max_side) {
            let max = limits.max_side;
            return beyond(format!("{size}, more than {max} on one side"));
        }
        if width * height > f64::from(limits.max_pixels) {
            return beyond(format!("{size}, more than {} in all", limits.max_pixels));
        }
    }
    let aspect = square_width / height;
    if aspect.max(1.0 / aspect) > limits.max_aspect {
        return beyond(format!(
            "its picture of {square_width} × {height} pixels has sides of more than {} to 1",
            limits.max_aspect
        ));
    }
    Ok(())
}

/// Checks the duration, in seconds.
pub(super) fn check_duration(duration: f64, limits: &RecordingLimits) -> Result<(), ProbeError> {
    let max = limits.max_duration.get();
    if duration > max {
        return beyond(format!("it lasts {duration:.0} s, more than {max} s"));
    }
    Ok(())
}

/// The limit that stopped ffmpeg or ffprobe, if these messages on stderr name one.
pub(super) fn limit_in(reasons: &str, limits: &RecordingLimits) -> Option<ProbeError> {
    if reasons.contains("exceeds specified max pixel count") {
        let max = limits.max_pixels;
        let reason = format!("its picture has more than {max} pixels");
        return Some(ProbeError::BeyondLimits(reason));
    }
    // `Codec (snow) not on whitelist 'h264,…'`
    let (before, _) = reasons.split_once(") not on whitelist")?;
    let (_, decoder) = before.rsplit_once("Codec (")?;
    Some(ProbeError::BeyondLimits(format!(
        "a track needs the decoder {decoder}, which has to be allowed"
    )))
}

/// The container that ffmpeg has recognized and may not read, if these messages on stderr name
/// it, as in `[rm @ 0x5642] Format not on whitelist 'mov,…'`.
pub(super) fn unsupported_format_in(stderr: &str) -> Option<&str> {
    let line = stderr
        .lines()
        .find(|line| line.contains("Format not on whitelist"))?;
    let (format, _) = line.strip_prefix('[')?.split_once(" @ ")?;
    Some(format)
}

fn beyond(reason: String) -> Result<(), ProbeError> {
    Err(ProbeError::BeyondLimits(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::FrameRate;

    fn refusal(width: u32, height: u32, pixel_aspect: f64) -> Option<String> {
        let video = VideoStream {
            index: 0,
            codec: "h264".into(),
            width,
            height,
            rotation: 0,
            pixel_aspect,
            frame_rate: FrameRate {
                frames: 25,
                seconds: 1,
            },
            variable_frame_rate: false,
            may_be_interlaced: false,
            is_interlaced: false,
            combed: None,
            hdr: None,
        };
        let checked = check_picture(&video, &RecordingLimits::default());
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn pictures_up_to_eight_k_are_accepted() {
        for (width, height, pixel_aspect) in [
            (2, 2, 1.0),
            (1920, 1080, 1.0),
            (720, 576, 64.0 / 45.0),
            (1440, 1080, 4.0 / 3.0),
            (8192, 4320, 1.0),
            (4320, 8192, 1.0),
            (1600, 100, 1.0),
        ] {
            assert_eq!(refusal(width, height, pixel_aspect), None);
        }
    }

    #[test]
    fn the_stored_and_the_displayed_picture_are_limited() {
        for (width, height, pixel_aspect, reason) in [
            (16_386, 1080, 1.0, "more than 16384 on one side"),
            (1080, 16_386, 1.0, "more than 16384 on one side"),
            (16_386, 1080, 0.1, "16386 × 1080 pixels, more than 16384"),
            (8192, 4322, 1.0, "more than 35389440 in all"),
            (4096, 4322, 2.5, "10240 × 4322 pixels, more than 35389440"),
            (
                13_000,
                2,
                1.0,
                "13000 × 2 pixels has sides of more than 16 to 1",
            ),
            (
                2,
                13_000,
                1.0,
                "2 × 13000 pixels has sides of more than 16 to 1",
            ),
            (
                100,
                100,
                16.1,
                "1610 × 100 pixels has sides of more than 16 to 1",
            ),
            (
                100,
                100,
                0.001,
                "0 × 100 pixels has sides of more than 16 to 1",
            ),
        ] {
            let refusal = refusal(width, height, pixel_aspect).unwrap_or_default();
            assert!(refusal.contains(reason), "{refusal}");
        }
    }

    #[test]
    fn a_duration_that_does_not_fit_the_size_is_not_credible() {
        assert!(is_credible(3600.0, 100 << 20));
        assert!(!is_credible(9e12, 10 << 30));
        assert!(!is_credible(0.001, 10 << 30));
        for duration in [0.0, -1.0] {
            assert!(!is_credible(duration, 1));
        }
    }

    #[test]
    fn the_headers_are_confirmed_by_packets_that_end_shortly_before() {
        assert!((confirmed_duration(Some(60.0), 59.0) - 60.0).abs() < f64::EPSILON);
        for claimed in [Some(3600.0), Some(58.0), None] {
            assert!((confirmed_duration(claimed, 59.0) - 59.0).abs() < f64::EPSILON);
        }
    }
}

//! Pictures of constant size from tracks in which the size changes, as in recordings of
//! conferences.

use crate::probe::VideoStream;

/// Input options for a track whose size or pixel format may change.
///
/// By default ffmpeg builds the filters anew after a change, and they lose their state: `fps`
/// would fill the time from 0 on again. With these options the filters stay, so the first of
/// them that depends on the size has to be `scale`. Filters that ffmpeg adds for a rotation
/// come before it, so a rotated track has no options.
pub(crate) fn constant_size_options(video: &VideoStream) -> &'static [&'static str] {
    if video.rotation == 0 {
        &["-reinit_filter:v", "0", "-autorotate", "0"]
    } else {
        &[]
    }
}

/// The filters that scale every picture to `width` × `height` square pixels. A picture with
/// another aspect ratio gets black bars.
pub(crate) fn fit_filters((width, height): (u32, u32)) -> String {
    // Sizes are rounded to even numbers. One pixel more than the size keeps this rounding from
    // adding bars.
    format!(
        "scale=w='2*round(min({width},{above}*dar)/2)':h='2*round(min({height},{beside}/dar)/2)':\
         eval=frame,pad={width}:{height}:-1:-1:eval=frame",
        above = height + 1,
        beside = width + 1,
    )
}

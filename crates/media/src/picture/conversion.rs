//! Conversions of pictures that players of clips may not show as they are: interlaced ones, and
//! ones of high dynamic range.

use crate::ffmpeg::Tools;
use crate::probe::{FieldOrder, HdrTransfer, VideoStream};

/// Filters for the start of a chain that make one progressive picture of the two fields of each
/// interlaced one. Pictures that are not interlaced pass unchanged, unless the track is
/// [combed](VideoStream::combed). Without a filter the text is empty, and else it ends with a
/// comma.
pub(crate) fn deinterlacing_filters(video: &VideoStream) -> String {
    let (parity, which, interlaced_chroma) = match video.combed {
        Some(FieldOrder::TopFirst) => ("tff", "all", "1"),
        Some(FieldOrder::BottomFirst) => ("bff", "all", "1"),
        None if video.may_be_interlaced && video.rotation == 0 => ("auto", "interlaced", "-1"),
        None => return String::new(),
    };
    // ffmpeg turns the pictures of a rotated track before all filters. Fields are lines of the
    // picture as it is stored.
    let (back, upright) = match video.rotation {
        90 => ("transpose=cclock,", "transpose=clock,"),
        180 => ("hflip,vflip,", "hflip,vflip,"),
        270 => ("transpose=clock,", "transpose=cclock,"),
        _ => ("", ""),
    };
    let (width, height) = stored_size(video);
    // The size must not change within `bwdif`.
    format!(
        "{back}scale={width}:{height}:interl={interlaced_chroma},\
         bwdif=mode=send_frame:parity={parity}:deint={which},{upright}"
    )
}

/// Width and height of the picture before it is rotated.
pub(crate) fn stored_size(video: &VideoStream) -> (u32, u32) {
    if video.rotation % 180 == 90 {
        (video.height, video.width)
    } else {
        (video.width, video.height)
    }
}

/// Filters that convert a picture of high dynamic range to BT.709. Without one the text is
/// empty, and else it starts with a comma. Where ffmpeg cannot do it, the picture keeps its
/// colours, and the clip says which ones they are.
pub(crate) fn tone_mapping_filters(video: &VideoStream, tools: &Tools) -> &'static str {
    // Linear light is relative to 100 cd/m², and white is at 203 cd/m² (ITU-R BT.2408). `mobius`
    // keeps what is darker than its parameter as it is, such as the text of slides.
    match video.hdr.filter(|_| tools.has_tone_mapping()) {
        None => "",
        Some(HdrTransfer::Pq) => {
            ",zscale=tin=smpte2084:pin=bt2020:min=bt2020nc:rin=tv:t=linear:npl=203,\
             format=gbrpf32le,zscale=p=bt709,tonemap=mobius:param=0.7:desat=0,\
             zscale=t=bt709:m=bt709:p=bt709:r=tv"
        }
        Some(HdrTransfer::Hlg) => {
            ",zscale=tin=arib-std-b67:pin=bt2020:min=bt2020nc:rin=tv:t=linear:npl=203,\
             format=gbrpf32le,zscale=p=bt709,tonemap=mobius:param=0.7:desat=0,\
             zscale=t=bt709:m=bt709:p=bt709:r=tv"
        }
    }
}

//! Conversions of pictures that players of clips may not show as they are: interlaced ones, and
//! ones of high dynamic range.

use crate::ffmpeg::Tools;
use crate::probe::{HdrTransfer, VideoStream};

/// Filters for the start of a chain that make one progressive picture of the two fields of each
/// interlaced one. Pictures that are not interlaced pass unchanged. Without a filter the text is
/// empty, and else it ends with a comma.
pub(crate) fn deinterlacing_filters(video: &VideoStream) -> String {
    // The size must not change within `bwdif`; the rotation of a track comes before it.
    if !video.may_be_interlaced || video.rotation != 0 {
        return String::new();
    }
    let (width, height) = (video.width, video.height);
    format!("scale={width}:{height}:interl=-1,bwdif=mode=send_frame:deint=interlaced,")
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

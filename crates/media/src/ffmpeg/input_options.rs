//! Options for reading an untrusted file: its container, its decoders and its size.

use std::ffi::OsString;
use std::path::Path;
use std::thread;

use crate::recording_limits::RecordingLimits;

/// The containers that may be read: those that can be uploaded, and related ones.
///
/// Without this list, ffmpeg would also accept a playlist or a script in place of a
/// recording, and open the files and addresses that the playlist or script names.
const CONTAINERS: &str = "mov,matroska,avi,mpegts,mpeg,mp3,wav,w64,ogg,flac,aac,flv,asf,aiff";

/// Greatest number of threads of a decoder. Each thread may hold several frames.
const MAX_DECODER_THREADS: usize = 8;

/// ffmpeg's arguments for reading one recording: the options that limit ffmpeg, then `-i`
/// and the file. The path must be absolute.
pub(super) fn input_options(path: &Path, limits: &RecordingLimits) -> Vec<OsString> {
    let max_pixels = limits.max_pixels.to_string();
    let decoders = decoder_whitelist(&limits.more_decoders);
    let mut options: Vec<_> = [
        ["-protocol_whitelist", "file"],
        ["-format_whitelist", CONTAINERS],
        ["-codec_whitelist", &decoders],
        ["-max_pixels", &max_pixels],
        ["-threads", &thread_count(MAX_DECODER_THREADS)],
    ]
    .as_flattened()
    .iter()
    .map(OsString::from)
    .collect();
    options.extend(["-i".into(), file_url(path)]);
    options
}

/// The path as a `file:` URL. Without the prefix, ffmpeg would take the `a` of a path
/// such as `a:b` for a protocol, and a path with a leading `-` for an option. Callers
/// pass absolute paths, which start with `/`; the prefix is a second safeguard.
pub(crate) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// The value of ffmpeg's option `-threads`: the number of processors, at most `max`.
pub(crate) fn thread_count(max: usize) -> String {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors.min(max).to_string()
}

/// Decoders of video from cameras, conferences, screen recorders, editors and broadcasts.
const VIDEO_DECODERS: &str = "\
    h264,hevc,vvc,vp8,libvpx,vp9,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg1video,\
    mpeg2video,mpegvideo,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,h263,h263i,h263p,flv,vp3,\
    theora,vp6,vp6a,vp6f,wmv1,wmv2,wmv3,wmv3image,vc1,vc1image,mss1,mss2,dvvideo,\
    dnxhd,prores,cfhd,mjpeg,mjpegb,jpeg2000,libopenjpeg,rawvideo,v210,ffv1,huffyuv,\
    ffvhuff,utvideo,magicyuv,svq1,svq3,cinepak,qtrle,rpza,msrle,msvideo1,camtasia,\
    tscc,tscc2,camstudio,cscd,flashsv,flashsv2,zmbv,g2m,screenpresso";
/// Decoders of cover art.
const COVER_ART_DECODERS: &str = "png,gif,bmp,webp";
/// Decoders of audio from the same sources.
const AUDIO_DECODERS: &str = "\
    aac,aac_fixed,aac_latm,libfdk_aac,ac3,ac3_fixed,eac3,dca,truehd,mlp,mp1,mp1float,\
    mp2,mp2float,mp3,mp3float,alac,flac,opus,libopus,vorbis,libvorbis,speex,libspeex,\
    wmav1,wmav2,wmapro,wmalossless,wmavoice,amrnb,amrwb,libopencore_amrnb,\
    libopencore_amrwb,gsm,gsm_ms,libgsm,libgsm_ms,nellymoser,qdm2,qdmc,qcelp,tta,\
    wavpack,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_swf,adpcm_yamaha,g722,g726,\
    g726le,g723_1,g729,ilbc,libilbc,dvaudio,s302m,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,\
    pcm_s8_planar,pcm_s16le,pcm_s16be,pcm_s16le_planar,pcm_s16be_planar,pcm_u16le,\
    pcm_u16be,pcm_s24le,pcm_s24be,pcm_s24le_planar,pcm_u24le,pcm_u24be,pcm_s32le,\
    pcm_s32be,pcm_s32le_planar,pcm_u32le,pcm_u32be,pcm_s64le,pcm_s64be,pcm_f16le,\
    pcm_f24le,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_bluray,pcm_dvd";
/// Decoders of subtitles.
const SUBTITLE_DECODERS: &str = "\
    subrip,srt,ass,ssa,mov_text,webvtt,text,dvbsub,dvdsub,pgssub,xsub,cc_dec,\
    libzvbi_teletextdec,libaribb24,libaribcaption";

/// The value of ffmpeg's option `-codec_whitelist`: the decoders above, and `more`.
/// ffmpeg has hundreds of other decoders, for games and rare formats, which are tested less.
fn decoder_whitelist(more: &[String]) -> String {
    let mut decoders = [
        VIDEO_DECODERS,
        COVER_ART_DECODERS,
        AUDIO_DECODERS,
        SUBTITLE_DECODERS,
    ]
    .join(",");
    for decoder in more {
        decoders.extend([",", decoder]);
    }
    decoders
}

//! The decoders that ffmpeg may use.

/// Video from cameras, conferences, screen recorders, editors and broadcasts.
const VIDEO: &str = "\
    h264,hevc,vvc,vp8,libvpx,vp9,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg1video,\
    mpeg2video,mpegvideo,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,h263,h263i,h263p,flv,vp3,\
    theora,vp6,vp6a,vp6f,wmv1,wmv2,wmv3,wmv3image,vc1,vc1image,mss1,mss2,dvvideo,\
    dnxhd,prores,cfhd,mjpeg,mjpegb,jpeg2000,libopenjpeg,rawvideo,v210,ffv1,huffyuv,\
    ffvhuff,utvideo,magicyuv,svq1,svq3,cinepak,qtrle,rpza,msrle,msvideo1,camtasia,\
    tscc,tscc2,camstudio,cscd,flashsv,flashsv2,zmbv,g2m,screenpresso";
/// Cover art.
const COVER_ART: &str = "png,gif,bmp,webp";
/// Audio from the same sources.
const AUDIO: &str = "\
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
/// Subtitles.
const SUBTITLES: &str = "\
    subrip,srt,ass,ssa,mov_text,webvtt,text,dvbsub,dvdsub,pgssub,xsub,cc_dec,\
    libzvbi_teletextdec,libaribb24,libaribcaption";

/// The value of ffmpeg's option `-codec_whitelist`: the decoders above, and `more`. ffmpeg has hundreds of other decoders, for games and rare
/// formats, which are tested less.
pub(super) fn whitelist(more: &[String]) -> String {
    let mut decoders = [VIDEO, COVER_ART, AUDIO, SUBTITLES].join(",");
    for decoder in more {
        decoders.extend([",", decoder]);
    }
    decoders
}

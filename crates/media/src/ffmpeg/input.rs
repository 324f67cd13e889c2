//! Options for reading an untrusted file.

use std::ffi::OsString;
use std::path::Path;
use std::thread;

use super::decoders::whitelist;
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
    let decoders = whitelist(&limits.more_decoders);
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
pub(super) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// The value of ffmpeg's option `-threads`: the number of processors, at most `max`.
pub(crate) fn thread_count(max: usize) -> String {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors.min(max).to_string()
}

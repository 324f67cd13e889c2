//! Options for reading an untrusted file.

use std::ffi::OsString;
use std::path::Path;

/// The containers that may be read: those that can be uploaded, and related ones.
///
/// Without this list ffmpeg would also accept a playlist or a script in place of
/// a recording, and open the files and addresses that it names.
const CONTAINERS: &str = "mov,matroska,avi,mpegts,mpeg,mp3,wav,w64,ogg,flac,aac,flv,asf,aiff";

/// The options in front of every recording, with `-i` and the file itself. The
/// path must be absolute.
pub(super) fn input_options(path: &Path, max_pixels: u32) -> Vec<OsString> {
    let max_pixels = max_pixels.to_string();
    let mut options: Vec<_> = [
        ["-protocol_whitelist", "file"],
        ["-format_whitelist", CONTAINERS],
        ["-max_pixels", &max_pixels],
    ]
    .as_flattened()
    .iter()
    .map(OsString::from)
    .collect();
    options.extend(["-i".into(), file_url(path)]);
    options
}

/// An absolute path as ffmpeg's URL: with `file:` in front, a leading `-` is not
/// an option and a `:` does not end a protocol.
pub(super) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

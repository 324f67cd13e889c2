//! The tools, together with the bounds of one piece of work.

use std::ffi::OsString;
use std::fs;
use std::path::{self, Path};

use crate::progress::{Lines, seconds_done};
use crate::{ChildError, Error, Limits, Program, Tools};

/// The containers that are read: what can be uploaded, and a few relatives.
///
/// Without this list ffmpeg would also take a playlist or a script for a
/// recording, and these name files and addresses that it then opens.
const FORMATS: &str = "mov,matroska,avi,mpegts,mpeg,mp3,wav,w64,ogg,flac,aac,flv,asf,aiff";

/// Does things with recordings, within [`Limits`]: `probe`, `find_silences`,
/// `sample_frames`, `extract_audio`, `extract_subtitles`, `cut`, `thumbnail` and
/// `concat`.
///
/// Whatever fails, is cancelled or runs out of time leaves no output file.
#[derive(Debug, Clone)]
pub struct Media {
    pub(crate) tools: Tools,
    pub(crate) limits: Limits,
}

impl Media {
    /// Works with these tools and within these bounds.
    pub fn new(tools: &Tools, limits: Limits) -> Self {
        Self {
            tools: tools.clone(),
            limits,
        }
    }

    /// ffmpeg, silent on stderr but for errors.
    pub(crate) fn ffmpeg(&self) -> Program {
        let quiet = ["-hide_banner", "-nostdin", "-nostats", "-v", "error", "-y"];
        self.tools.ffmpeg().args(quiet)
    }

    /// ffmpeg that tells on stdout how far it has come.
    pub(crate) fn telling_ffmpeg(&self) -> Program {
        self.ffmpeg().args(["-progress", "pipe:1"])
    }

    /// Runs a telling ffmpeg and hands over the seconds done, and the lines
    /// that its filters write beside. Returns the last lines of stderr.
    pub(crate) fn follow(
        &self,
        ffmpeg: Program,
        progress: &mut dyn FnMut(f64),
        on_line: &mut dyn FnMut(&str),
    ) -> Result<String, ChildError> {
        let mut lines = Lines::default();
        ffmpeg.run(&self.limits, &mut |piece| {
            lines.push(piece, |line| match seconds_done(line) {
                Some(seconds) => progress(seconds),
                None => on_line(line),
            });
        })
    }

    /// Runs a telling ffmpeg to write the file `out`, which becomes its last
    /// argument. When that fails there is no such file.
    pub(crate) fn write(
        &self,
        doing: &'static str,
        ffmpeg: Program,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let out = path::absolute(out).map_err(|source| Error::Io {
            doing: "find",
            path: out.to_owned(),
            source,
        })?;
        let done = self.follow(ffmpeg.arg(url(&out)), progress, &mut |_| {});
        done.map(drop).map_err(|source| {
            // It may not have been made yet.
            let _ = fs::remove_file(&out);
            Error::Child { doing, source }
        })
    }
}

/// An absolute path in ffmpeg's words: behind `file:` a name that begins with
/// `-` is no option, and one with a `:` no protocol.
fn url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// The options that go with every file that is read, up to and with `-i`; the
/// path is absolute.
pub(crate) fn input(path: &Path) -> [OsString; 6] {
    let [protocols, file, formats, known, input] = [
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        FORMATS,
        "-i",
    ]
    .map(OsString::from);
    [protocols, file, formats, known, input, url(path)]
}

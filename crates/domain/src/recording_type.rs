//! The types of recordings: their extensions and media types.

use crate::value::Invalid;

/// A type of recordings that can be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingType {
    /// The extension of a filename, in lower case.
    pub extension: &'static str,
    /// The media type that recordings are served with, and that they have if the client
    /// names none.
    pub media_type: &'static str,
    /// Whether the container may hold video. Every container may hold sound only.
    pub may_have_video: bool,
}

/// The types of recordings that can be uploaded.
pub const RECORDING_TYPES: [RecordingType; 19] = [
    video("mp4", "video/mp4"),
    video("m4v", "video/mp4"),
    video("mov", "video/quicktime"),
    video("avi", "video/x-msvideo"),
    video("mkv", "video/x-matroska"),
    video("webm", "video/webm"),
    video("mts", "video/mp2t"),
    video("ts", "video/mp2t"),
    video("mpg", "video/mpeg"),
    video("wmv", "video/x-ms-wmv"),
    video("3gp", "video/3gpp"),
    // Most of these files hold sound only.
    video("ogg", "audio/ogg"),
    audio("opus", "audio/ogg"),
    audio("mp3", "audio/mpeg"),
    audio("wav", "audio/wav"),
    audio("m4a", "audio/mp4"),
    audio("mka", "audio/x-matroska"),
    audio("flac", "audio/flac"),
    audio("aac", "audio/aac"),
];

const fn video(extension: &'static str, media_type: &'static str) -> RecordingType {
    RecordingType {
        extension,
        media_type,
        may_have_video: true,
    }
}

const fn audio(extension: &'static str, media_type: &'static str) -> RecordingType {
    RecordingType {
        extension,
        media_type,
        may_have_video: false,
    }
}

impl RecordingType {
    /// The type of a file, by the extension of its name, in upper or lower case.
    pub fn of_file(filename: &str) -> Option<Self> {
        let (_, extension) = filename.rsplit_once('.')?;
        Self::of_extension(extension)
    }

    fn of_extension(extension: &str) -> Option<Self> {
        let mut types = RECORDING_TYPES.into_iter();
        types.find(|known| known.extension.eq_ignore_ascii_case(extension))
    }
}

/// The media type of a recording with this extension, in upper or lower case.
pub fn recording_media_type(extension: &str) -> Option<&'static str> {
    RecordingType::of_extension(extension).map(|known| known.media_type)
}

/// Checks that a file of this name and media type is a recording: its extension
/// is one of [`RECORDING_TYPES`], in upper or lower case, and its media type is audio or,
/// if the container may hold it, video. Parameters of the media type are not checked:
/// some browsers send `video/webm;codecs=vp8,opus`, which RFC 9110 does not allow.
///
/// ```
/// use lectern_domain::check_recording;
///
/// assert!(check_recording("Lecture 7.MP4", "video/mp4; codecs=avc1").is_ok());
/// assert!(check_recording("talk.webm", "audio/webm").is_ok());
/// assert_eq!(check_recording("notes.pdf", "application/pdf").unwrap_err().errors()[0].field, "filename");
/// assert_eq!(check_recording("talk.mp3", "video/mp4").unwrap_err().errors()[0].field, "content_type");
/// ```
pub fn check_recording(filename: &str, content_type: &str) -> Result<(), Invalid> {
    let Some(known) = RecordingType::of_file(filename) else {
        let extensions = RECORDING_TYPES.map(|known| format!(".{}", known.extension));
        return Err(Invalid::field(
            "filename",
            format!("must end in one of {}", extensions.join(" ")),
        ));
    };
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let is_kind = |kind: &str| {
        kind.eq_ignore_ascii_case("audio")
            || (known.may_have_video && kind.eq_ignore_ascii_case("video"))
    };
    let is_subtype = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty()
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match essence.trim_end_matches([' ', '\t']).split_once('/') {
        Some((kind, subtype))
            if is_kind(kind)
                && is_subtype(subtype)
                && !parameters.contains(|c: char| c.is_control() && c != '\t') =>
        {
            Ok(())
        }
        _ => {
            let kinds = if known.may_have_video {
                "video/… or audio/…"
            } else {
                "audio/…"
            };
            Err(Invalid::field(
                "content_type",
                format!(
                    "must be {kinds} for a file that ends in .{}",
                    known.extension
                ),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_container_may_hold_sound_only() {
        for known in RECORDING_TYPES {
            let filename = format!("talk.{}", known.extension.to_uppercase());
            assert_eq!(check_recording(&filename, known.media_type), Ok(()));
            assert_eq!(check_recording(&filename, "Audio/x-any"), Ok(()));
            let video = check_recording(&filename, "video/x-any");
            assert_eq!(video.is_ok(), known.may_have_video, "{filename}");
        }
    }

    #[test]
    fn parameters_are_accepted() {
        for content_type in [
            "video/mp4;codecs=avc1",
            "video/mp4 ; codecs=\"avc1.42E01E, mp4a.40.2\"",
            "video/mp4;codecs=vp8,opus",
            "video/mp4;",
        ] {
            assert_eq!(check_recording("talk.mp4", content_type), Ok(()));
        }
        for content_type in [
            "",
            ";",
            "video/;codecs=avc1",
            "; video/mp4",
            "video/mp4;\n",
            " video/mp4",
            "video/mp4, video/webm",
        ] {
            assert!(
                check_recording("talk.mp4", content_type).is_err(),
                "{content_type:?}"
            );
        }
    }
}

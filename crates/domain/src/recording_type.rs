//! The types of recordings: their extensions and media types.

use crate::value::Invalid;

/// The extensions of recordings that can be uploaded, and the media type that each
/// is served with.
pub const RECORDING_TYPES: [(&str, &str); 8] = [
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("avi", "video/x-msvideo"),
    ("mkv", "video/x-matroska"),
    ("webm", "video/webm"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("m4a", "audio/mp4"),
];

/// The media type of a recording with this extension, in upper or lower case.
pub fn recording_media_type(extension: &str) -> Option<&'static str> {
    let mut recordings = RECORDING_TYPES.iter();
    let recording = recordings.find(|(known, _)| known.eq_ignore_ascii_case(extension));
    recording.map(|(_, media_type)| *media_type)
}

/// Checks that a file of this name and media type is a recording: its extension
/// is one of [`RECORDING_TYPES`], in upper or lower case, and its media type is video
/// or audio as listed there.
///
/// ```
/// use lectern_domain::check_recording;
///
/// assert!(check_recording("Lecture 7.MP4", "video/mp4").is_ok());
/// assert_eq!(check_recording("notes.pdf", "application/pdf").unwrap_err().errors()[0].field, "filename");
/// assert_eq!(check_recording("talk.mp3", "video/mp4").unwrap_err().errors()[0].field, "content_type");
/// ```
pub fn check_recording(filename: &str, content_type: &str) -> Result<(), Invalid> {
    let known = filename.rsplit_once('.').and_then(|(_, extension)| {
        let (kind, _) = recording_media_type(extension)?.split_once('/')?;
        Some((extension.to_ascii_lowercase(), kind))
    });
    let Some((extension, kind)) = known else {
        let known: Vec<_> = RECORDING_TYPES
            .iter()
            .map(|(extension, _)| format!(".{extension}"))
            .collect();
        return Err(Invalid::field(
            "filename",
            format!("must end in one of {}", known.join(" ")),
        ));
    };
    let is_subtype = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty()
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match content_type.split_once('/') {
        Some((top, subtype)) if top.eq_ignore_ascii_case(kind) && is_subtype(subtype) => Ok(()),
        _ => Err(Invalid::field(
            "content_type",
            format!("must be {kind}/… for a file that ends in .{extension}"),
        )),
    }
}

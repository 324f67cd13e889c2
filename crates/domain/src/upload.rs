//! Recordings that are still to be uploaded.

use crate::{ContentType, FileSize, Filename, Invalid, ProcessingConfig};

/// A recording somebody is about to upload.
#[derive(Debug, Clone, PartialEq)]
pub struct NewUpload {
    /// Its name as its owner knows it.
    pub filename: Filename,
    /// Its size in bytes, which the uploaded file has to have.
    pub file_size: FileSize,
    /// Its media type, which fits its name.
    pub content_type: ContentType,
    /// How it is to be worked on.
    pub processing_config: Option<ProcessingConfig>,
    /// Which of the waiting jobs comes first.
    pub priority: i32,
}

/// Extensions of recordings that can be uploaded, with the kind of media each
/// stands for.
pub const RECORDINGS: [(&str, &str); 8] = [
    ("mp4", "video"),
    ("mov", "video"),
    ("avi", "video"),
    ("mkv", "video"),
    ("webm", "video"),
    ("mp3", "audio"),
    ("wav", "audio"),
    ("m4a", "audio"),
];

/// Checks that a file of this name and media type is a recording: one of
/// [`RECORDINGS`], upper or lower case, of a media type of its kind.
///
/// ```
/// use lectern_domain::check_recording;
///
/// assert!(check_recording("Lecture 7.MP4", "video/mp4").is_ok());
/// assert_eq!(check_recording("notes.pdf", "application/pdf").unwrap_err().errors()[0].field, "filename");
/// assert_eq!(check_recording("talk.mp3", "video/mp4").unwrap_err().errors()[0].field, "content_type");
/// ```
pub fn check_recording(filename: &str, content_type: &str) -> Result<(), Invalid> {
    let extension = filename
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let known = RECORDINGS
        .iter()
        .find(|(known, _)| extension.as_deref() == Some(*known));
    let Some((extension, kind)) = known else {
        let known: Vec<_> = RECORDINGS
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

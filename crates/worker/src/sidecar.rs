//! Sidecar files: subtitles next to a recording in the storage.

use std::io::Read;

use lectern_storage::ObjectKey;

use crate::failure::Failure;

/// Extensions of sidecar files, the format with the most information first.
pub const EXTENSIONS: [&str; 10] = [
    "json", "vtt", "ttml", "dfxp", "ass", "ssa", "srt", "sbv", "lrc", "json3",
];

/// Greatest size of a sidecar file. It is read into memory.
pub const MAX_BYTES: u64 = 64 << 20;

/// The key of a sidecar file: the recording's key with this extension instead of its
/// own. `None` if the recording has this extension itself.
pub fn key(recording: &ObjectKey, extension: &str) -> Option<ObjectKey> {
    let text = recording.as_str();
    let name = text.rfind('/').map_or(0, |slash| slash + 1);
    let stem = match text[name..].rfind('.') {
        Some(dot) if dot > 0 => &text[..name + dot],
        _ => text,
    };
    let key = ObjectKey::new(format!("{stem}.{extension}")).ok()?;
    (key != *recording).then_some(key)
}

/// Reads `source` to its end. `name` identifies it in errors.
///
/// # Errors
///
/// [`Failure::Permanent`] if `source` has more than [`MAX_BYTES`].
pub(crate) fn read_bounded(name: &str, source: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    check_size(name, bytes.len() as u64, MAX_BYTES)?;
    Ok(bytes)
}

/// Fails if `size` is greater than `max_bytes`.
pub(crate) fn check_size(name: &str, size: u64, max_bytes: u64) -> Result<(), Failure> {
    if size > max_bytes {
        let mebibytes = max_bytes >> 20;
        return Err(Failure::permanent(format!(
            "{name} is longer than {mebibytes} MiB"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_has_the_name_of_its_recording() {
        let sidecar = |text: &str| {
            let recording = ObjectKey::new(text).unwrap();
            key(&recording, "vtt").map(|key| key.as_str().to_owned())
        };
        assert_eq!(sidecar("a.b/talk.mp4").as_deref(), Some("a.b/talk.vtt"));
        assert_eq!(sidecar("a.b/talk").as_deref(), Some("a.b/talk.vtt"));
        assert_eq!(sidecar("talk.vtt"), None);
    }
}

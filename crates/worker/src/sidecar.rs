//! Subtitles that lie beside a recording in the storage.

use lectern_storage::ObjectKey;

/// What their names end in, the most telling first.
pub const EXTENSIONS: [&str; 3] = ["json", "vtt", "srt"];

/// How long subtitles are at most, in bytes: they are read as a whole.
pub const MOST: u64 = 64 << 20;

/// The key of subtitles beside a recording: its own, but for the extension.
/// `None` where it would be the recording's.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtitles_have_the_name_of_their_recording() {
        let beside = |text: &str| {
            let recording = ObjectKey::new(text).unwrap();
            key(&recording, "vtt").map(|key| key.as_str().to_owned())
        };
        assert_eq!(beside("a.b/talk.mp4").as_deref(), Some("a.b/talk.vtt"));
        assert_eq!(beside("a.b/talk").as_deref(), Some("a.b/talk.vtt"));
        assert_eq!(beside("talk.vtt"), None);
    }
}

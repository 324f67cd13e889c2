//! Subtitles that lie beside a recording in the storage.

use std::io::Read;

use lectern_storage::ObjectKey;

use crate::Failure;

/// What their names end in, the most telling first.
pub const EXTENSIONS: [&str; 3] = ["json", "vtt", "srt"];

/// How long subtitles are at most, in bytes: they are read as a whole.
pub const MAX_BYTES: u64 = 64 << 20;

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

/// All of `from`, which errors call `what`.
///
/// # Errors
///
/// When it is longer than [`MAX_BYTES`], for one: that stays so.
pub(crate) fn whole(what: &str, from: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let most = MAX_BYTES >> 20;
        return Err(Failure::permanent(format!(
            "{what} is longer than {most} MiB"
        )));
    }
    Ok(bytes)
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

//! What all targets check.

use lectern_formats::{Cue, InputFormat, subrip, webvtt};

/// Reads a file with and without the length of the recording. Its cues, written, have to be read
/// back unchanged; blank lines in texts are not written, so they are removed first.
pub(super) fn check(format: InputFormat, bytes: &[u8]) {
    let Ok(file) = format.read(bytes) else { return };
    let _ = file.clone().transcript(Some(60.0));
    let Ok(transcript) = file.transcript(None) else {
        return;
    };
    let once = webvtt::read(webvtt::write(&transcript.cues).as_bytes()).expect("WebVTT");
    let twice = webvtt::read(webvtt::write(&once.cues).as_bytes()).expect("WebVTT");
    assert_eq!(once.cues, twice.cues);
    let without_speakers = |cue: Cue| cue.with_speaker(None);
    let expected: Vec<Cue> = once.cues.into_iter().map(without_speakers).collect();
    let again = subrip::read(subrip::write(&expected).as_bytes()).expect("SubRip");
    assert_eq!(again.cues, expected);
}

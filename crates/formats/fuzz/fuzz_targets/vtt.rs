//! Arbitrary bytes as WebVTT: written cues have to be read back unchanged.

#![no_main]

use lectern_formats::{Cue, webvtt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(cues) = webvtt::read(bytes) else { return };
    let again = webvtt::read(webvtt::write(&cues).as_bytes()).expect("written WebVTT is readable");
    let expected: Vec<Cue> = cues
        .into_iter()
        .map(|cue| {
            let (start, end) = (cue.start_ms(), cue.end_ms());
            cue.with_times(start, end.max(start + 1))
        })
        .collect();
    assert_eq!(again, expected);
});

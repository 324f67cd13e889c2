//! Arbitrary bytes as Whisper's JSON: written cues have to be read back unchanged.

#![no_main]

use lectern_formats::whisper_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Must not panic either.
    let _ = whisper_json::detect(bytes);
    let Ok(cues) = whisper_json::read(bytes) else {
        return;
    };
    let again = whisper_json::read(whisper_json::write(&cues).as_bytes()).expect("written JSON is readable");
    assert_eq!(again, cues);
});

//! Any bytes as Whisper's JSON.

#![no_main]

use lectern_formats::whisper_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // A guess about any bytes, which must not panic either.
    let _ = whisper_json::detect(bytes);
    let Ok(cues) = whisper_json::read(bytes) else {
        return;
    };
    let again = whisper_json::read(whisper_json::write(&cues).as_bytes()).expect("what was written is JSON");
    assert_eq!(again, cues);
});

//! Any bytes as Whisper's JSON.

#![no_main]

use lectern_formats::whisper;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // A guess about any bytes, which must not panic either.
    let _ = whisper::is_whisper(bytes);
    let Ok(cues) = whisper::read(bytes) else {
        return;
    };
    let again = whisper::read(whisper::write(&cues).as_bytes()).expect("what was written is JSON");
    assert_eq!(again, cues);
});

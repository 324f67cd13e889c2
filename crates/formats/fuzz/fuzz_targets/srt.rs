//! Any bytes as SubRip.

#![no_main]

use lectern_formats::srt;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(cues) = srt::read(bytes) else { return };
    let again = srt::read(srt::write(&cues).as_bytes()).expect("what was written is SubRip");
    assert_eq!(again, cues);
});

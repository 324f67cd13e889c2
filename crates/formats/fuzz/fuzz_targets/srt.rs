//! Any bytes as SubRip.

#![no_main]

use lectern_formats::subrip;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(cues) = subrip::read(bytes) else { return };
    let again = subrip::read(subrip::write(&cues).as_bytes()).expect("what was written is SubRip");
    assert_eq!(again, cues);
});

//! Arbitrary bytes as SubRip: written cues have to be read back unchanged.

#![no_main]

use lectern_formats::subrip;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(cues) = subrip::read(bytes) else { return };
    let again = subrip::read(subrip::write(&cues).as_bytes()).expect("written SubRip is readable");
    assert_eq!(again, cues);
});

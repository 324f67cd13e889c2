//! Arbitrary bytes as JSON of a speech recognizer.

#![no_main]

use lectern_formats::InputFormat;
use libfuzzer_sys::fuzz_target;

mod written;

fuzz_target!(|bytes: &[u8]| {
    // Must not panic either.
    let _ = lectern_formats::json::detect(bytes);
    written::check(InputFormat::Json, bytes);
});

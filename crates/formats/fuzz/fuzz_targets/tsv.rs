//! Arbitrary bytes as text with tabs.

#![no_main]

use lectern_formats::InputFormat;
use libfuzzer_sys::fuzz_target;

mod written;

fuzz_target!(|bytes: &[u8]| {
    written::check(InputFormat::Tsv, bytes);
});

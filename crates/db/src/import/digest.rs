//! SHA-1 of a sequence of texts, numbers and ids. It is stored, so it never changes.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};
use uuid::Uuid;

#[derive(Default)]
pub(super) struct Digest(Sha1);

impl Digest {
    /// Adds a text with its length, so that the parts of another sequence are not the same
    /// bytes.
    pub(super) fn add_text(&mut self, text: &str) {
        self.add_count(text.len());
        self.0.update(text.as_bytes());
    }

    pub(super) fn add_count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    pub(super) fn add_number(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    pub(super) fn add_id(&mut self, id: Uuid) {
        self.0.update(id.as_bytes());
    }

    pub(super) fn in_hexadecimal(self) -> String {
        let hash: [u8; 20] = self.0.finalize().into();
        hash.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }
}

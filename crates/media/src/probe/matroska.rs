//! The size that a Matroska file should have. Matroska is based on EBML, whose ids
//! and sizes are integers of variable length.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes read to find the segment. The header in front of it takes about fifty.
const HEAD_BYTES: u64 = 4096;
/// Id of the element that contains the whole recording.
const SEGMENT_ID: u64 = 0x1853_8067;

/// The size of the complete file in bytes. `None` if the headers lack it, as in
/// files that were streamed while they were recorded.
pub(super) fn expected_size(path: &Path) -> io::Result<Option<u64>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(segment_end(&head))
}

/// The offset of the end of the segment that starts in `head`.
fn segment_end(head: &[u8]) -> Option<u64> {
    let mut offset = 0;
    loop {
        let (id, id_length) = read_integer(head.get(offset..)?)?;
        offset += id_length;
        let (size, size_length) = read_integer(head.get(offset..)?)?;
        offset += size_length;
        // The marker bit above the value is part of an id, but not of a size.
        let marker = 1 << (7 * size_length);
        let size = size - marker;
        let is_unknown = size == marker - 1;
        if id == SEGMENT_ID {
            return (!is_unknown).then(|| size.saturating_add(offset as u64));
        }
        offset = offset.checked_add(usize::try_from(size).ok()?)?;
    }
}

/// Reads an integer of variable length, and returns it with its length in bytes, at
/// most 8. The length minus one is the number of leading zero bits. The bit after
/// them is the marker, which is not removed.
fn read_integer(bytes: &[u8]) -> Option<(u64, usize)> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    let bytes = bytes.get(..length).filter(|_| length <= 8)?;
    let number = bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Some((number, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_of_known_size_has_an_end() {
        let file = |size: &[u8]| {
            let header = [0x1a, 0x45, 0xdf, 0xa3, 0x83, 1, 2, 3];
            [&header[..], &[0x18, 0x53, 0x80, 0x67], size, &[0x11, 0x4d]].concat()
        };
        assert_eq!(segment_end(&file(&[0x85])), Some(13 + 5));
        let long = file(&[1, 0, 0, 0, 0, 0x33, 0x0f, 0xd5]);
        assert_eq!(segment_end(&long), Some(20 + 0x33_0f_d5));
        assert_eq!(segment_end(&file(&[0xff])), None);
        assert_eq!(
            segment_end(&file(&[1, 255, 255, 255, 255, 255, 255, 255])),
            None
        );
        assert_eq!(segment_end(&long[..15]), None);
        assert_eq!(segment_end(&[0; 32]), None);
    }
}

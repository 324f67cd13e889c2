//! How long a Matroska file has to be.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Within how many bytes the segment begins: a header takes some fifty.
const HEAD: u64 = 4096;
/// The element that has all of the recording in it.
const SEGMENT: u64 = 0x1853_8067;

/// Where the file should end, in bytes, if it tells so: one that is written as
/// it is sent does not.
pub(crate) fn end(path: &Path) -> io::Result<Option<u64>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(segment_end(&head))
}

/// Where the segment ends whose beginning is in `head`.
fn segment_end(head: &[u8]) -> Option<u64> {
    let mut at = 0;
    loop {
        let (id, id_length) = number(head.get(at..)?)?;
        at += id_length;
        let (size, length) = number(head.get(at..)?)?;
        at += length;
        // The length of a number is marked by a bit above it, part of an id.
        let mark = 1 << (7 * length);
        let size = size - mark;
        let unknown = size == mark - 1;
        if id == SEGMENT {
            return (!unknown).then(|| size.saturating_add(at as u64));
        }
        at = at.checked_add(usize::try_from(size).ok()?)?;
    }
}

/// Reads a number of one to eight bytes, and how many they are: one more than
/// the first byte has zeros in front.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
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
    fn the_segment_tells_where_it_ends_unless_it_is_written_as_it_is_sent() {
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

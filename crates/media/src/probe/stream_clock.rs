//! The clock of MPEG transport and program streams.
//!
//! Where recordings were appended to each other, or the receiver lost the signal, the clock
//! starts anew or jumps. Then the duration in the headers, which is the difference of the last
//! and the first time, is wrong, and no time can be sought.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// At how many places of the file the clock is read.
const PLACES: u64 = 64;
/// Bytes that are read at each place. The clock is in the stream every 0.1 s, in program streams
/// every 0.7 s.
const PLACE_BYTES: u64 = 512 << 10;
/// Sizes of packets in bytes: plain, with a timecode (Blu-ray), with error correction.
const PACKET_SIZES: [usize; 3] = [188, 192, 204];
/// First byte of a packet.
const SYNC_BYTE: u8 = 0x47;
/// How many packets in a row show the size of packets.
const SYNC_PACKETS: usize = 4;
/// Ticks of the clock per second.
const TICKS_PER_SECOND: f64 = 90_000.0;
/// The clock has 33 bits. A step back by nearly all of them is no restart.
const WRAP_SECONDS: f64 = 90_000.0;
/// A step forward is a jump if it is longer than this many times the usual step between two
/// places, and than this many seconds.
const JUMP_FACTOR: f64 = 10.0;
const JUMP_SECONDS: f64 = 10.0;

/// Whether the clock may start anew or jump within the file. Reads only some places of the file.
pub(super) fn may_restart(path: &Path, format_name: &str) -> io::Result<bool> {
    let read_clocks = match format_name {
        "mpegts" => transport_stream_clocks,
        "mpeg" => program_stream_clocks,
        _ => return Ok(false),
    };
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let step_bytes = (size / PLACES).max(1);
    let mut longest_steps = Vec::new();
    // The last time of each clock; a transport stream has one for each program.
    let mut last: HashMap<u16, f64> = HashMap::new();
    for start in (0..size).step_by(usize::try_from(step_bytes).unwrap_or(usize::MAX)) {
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        (&mut file)
            .take(PLACE_BYTES.min(step_bytes))
            .read_to_end(&mut bytes)?;
        let mut longest = 0.0_f64;
        for (clock, seconds) in read_clocks(&bytes) {
            let before = last.insert(clock, seconds);
            let step = before.map_or(0.0, |before| seconds - before);
            if (-WRAP_SECONDS..0.0).contains(&step) {
                return Ok(true);
            }
            longest = longest.max(step);
        }
        longest_steps.push(longest);
    }
    longest_steps.sort_by(f64::total_cmp);
    let usual = longest_steps.get(longest_steps.len() / 2);
    let greatest = longest_steps.last();
    Ok(match (usual, greatest) {
        (Some(usual), Some(greatest)) => *greatest > (usual * JUMP_FACTOR).max(JUMP_SECONDS),
        _ => false,
    })
}

/// The times in a part of a transport stream, in seconds, each with the program's packet
/// identifier.
fn transport_stream_clocks(bytes: &[u8]) -> Vec<(u16, f64)> {
    let is_packet = |offset: usize| bytes.get(offset) == Some(&SYNC_BYTE);
    let found = (0..bytes.len()).find_map(|offset| {
        let in_a_row = |size: &usize| (0..SYNC_PACKETS).all(|i| is_packet(offset + i * size));
        let size = PACKET_SIZES.into_iter().find(in_a_row)?;
        Some((offset, size))
    });
    let Some((offset, size)) = found else {
        return Vec::new();
    };
    bytes[offset..]
        .chunks_exact(size)
        .filter_map(packet_clock)
        .collect()
}

/// The packet identifier and the time of a packet that has one.
fn packet_clock(packet: &[u8]) -> Option<(u16, f64)> {
    // Sync byte, flags and identifier, whether there is an adaptation field, its length, its
    // flags, and the time.
    let [
        SYNC_BYTE,
        high,
        low,
        control,
        length,
        flags,
        b0,
        b1,
        b2,
        b3,
        b4,
        ..,
    ] = *packet
    else {
        return None;
    };
    let has_clock = control & 0x20 != 0 && length >= 7 && flags & 0x10 != 0;
    let identifier = u16::from(high & 0x1f) << 8 | u16::from(low);
    let high_bits = u64::from(u32::from_be_bytes([b0, b1, b2, b3]));
    let ticks = high_bits << 1 | u64::from(b4 >> 7);
    has_clock.then(|| (identifier, ticks as f64 / TICKS_PER_SECOND))
}

/// The times in a part of a program stream, in seconds: those of its packs. The stream has one
/// clock.
fn program_stream_clocks(bytes: &[u8]) -> Vec<(u16, f64)> {
    let packs = bytes
        .windows(9)
        .filter(|pack| pack.starts_with(&[0, 0, 1, 0xba]));
    packs
        .filter_map(|pack| {
            let [_, _, _, _, b0, b1, b2, b3, b4] = <[u8; 9]>::try_from(pack).ok()?;
            let bits = |byte: u8, mask: u8| u64::from(byte & mask);
            // The 33 bits are interrupted by marker bits.
            let ticks = match b0 >> 4 {
                // MPEG-2: the first two bits are 01.
                4..=7 => {
                    bits(b0, 0x38) << 27
                        | bits(b0, 0x03) << 28
                        | bits(b1, 0xff) << 20
                        | bits(b2, 0xf8) << 12
                        | bits(b2, 0x03) << 13
                        | bits(b3, 0xff) << 5
                        | bits(b4, 0xf8) >> 3
                }
                // MPEG-1: the first four bits are 0010.
                2 => {
                    bits(b0, 0x0e) << 29
                        | bits(b1, 0xff) << 22
                        | bits(b2, 0xfe) << 14
                        | bits(b3, 0xff) << 7
                        | bits(b4, 0xfe) >> 1
                }
                _ => return None,
            };
            Some((0, ticks as f64 / TICKS_PER_SECOND))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_packet_is_read() {
        // Identifier 0x100, 90,000 ticks.
        let mut packet = [0; 188];
        packet[..11].copy_from_slice(&[0x47, 0x01, 0, 0x20, 183, 0x10, 0, 0, 0xaf, 0xc8, 0]);
        assert_eq!(packet_clock(&packet), Some((0x100, 1.0)));
        for (index, byte) in [(0, 0), (3, 0x10), (4, 0), (5, 0)] {
            let mut other = packet;
            other[index] = byte;
            assert_eq!(packet_clock(&other), None);
        }
        let stream = [&[1, 2][..], &packet, &packet, &packet, &packet].concat();
        assert_eq!(transport_stream_clocks(&stream).len(), 4);
        assert!(transport_stream_clocks(&stream[..400]).is_empty());
    }

    #[test]
    fn the_time_of_a_pack_is_read() {
        // 2^32 + 2^28 + 2^16 + 2^14 + 2^5 + 1 ticks, and 2^31 + 2^22 + 2^15 + 2^7 + 1.
        let mpeg_2 = [0, 0, 1, 0xba, 0x65, 0, 0x16, 1, 0x0c];
        let mpeg_1 = [0, 0, 1, 0xba, 0x25, 1, 0x03, 1, 0x03];
        for (pack, ticks) in [(mpeg_2, 4_563_484_705.0), (mpeg_1, 2_151_710_849.0)] {
            let [(_, seconds)] = program_stream_clocks(&pack)[..] else {
                panic!("{pack:?}")
            };
            assert!(
                (seconds * TICKS_PER_SECOND - ticks).abs() < 0.5,
                "{seconds}"
            );
        }
        assert!(program_stream_clocks(&[0, 0, 1, 0xba, 0xff, 0, 0, 0, 0]).is_empty());
    }
}

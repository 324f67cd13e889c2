//! What holds for the clips of any recording.

use proptest::prelude::*;

use super::{Segment, bounds, fugues, segment, select_clips};

/// Recordings: the duration, content segments in order, and silences.
fn recordings() -> impl Strategy<Value = (f64, Vec<Segment>, Vec<(f64, f64)>)> {
    // Pause before the segment, its length, and its importance in quarters.
    let shape = (0.0..20.0_f64, 0.0..400.0_f64, 0..=4_u8);
    let silence = (0.0..3_000.0_f64, 0.0..12.0_f64);
    let segments = prop::collection::vec(shape, 0..16);
    (
        0.5..3_000.0_f64,
        segments,
        prop::collection::vec(silence, 0..120),
    )
        .prop_map(|(duration, segments, silences)| {
            let mut end = 0.0;
            let segments = segments.iter().map(|&(pause, length, importance)| {
                let start = end + pause;
                end = start + length;
                segment(start, end, "Fugues", f64::from(importance) / 4.0)
            });
            let silences = silences
                .iter()
                .map(|&(start, length)| (start, start + length));
            (duration, segments.collect(), silences.collect())
        })
}

proptest! {
    #[test]
    fn clips_are_disjoint_within_bounds_and_deterministic(
        (duration, segments, silences) in recordings(),
    ) {
        let texts = fugues(500);
        let sentences: Vec<(f64, f64, &str)> = (0_u32..)
            .zip(&texts)
            .map(|(i, text)| {
                let start = f64::from(i) * 6.0;
                (start, start + 5.0, if i % 7 < 3 { text.as_str() } else { "so" })
            })
            .collect();
        let clips = select_clips(&segments, &sentences, &silences, duration);
        prop_assert_eq!(&clips, &select_clips(&segments, &sentences, &silences, duration));
        prop_assert!(clips.len() <= 8);
        prop_assert!(!clips.is_empty() || !silences.is_empty());
        for (position, selected) in (0..).zip(&clips) {
            let time = selected.clip.time;
            prop_assert!(time.end() <= duration);
            prop_assert!(time.duration() >= 20.0_f64.min(duration) - 1e-9, "{time:?}");
            prop_assert!(time.duration() <= 120.0 + 1e-9, "{time:?}");
            prop_assert_eq!(selected.clip.clip_order.get(), position);
            if let Some(index) = selected.segment_index.filter(|_| duration > 20.0) {
                // A clip overlaps its segment.
                let segment = segments[index].time;
                prop_assert!(time.start() <= segment.end() && segment.start() <= time.end());
            }
        }
        for pair in clips.windows(2) {
            prop_assert!(pair[0].clip.time.end() <= pair[1].clip.time.start());
        }
    }

    #[test]
    fn clips_begin_and_end_at_sentences(
        lengths in prop::collection::vec(1.0..12.0_f64, 30..90),
        pauses in prop::collection::vec(0.1..3.0_f64, 90),
    ) {
        let mut start = 0.0;
        let texts = fugues(lengths.len());
        let sentences: Vec<(f64, f64, &str)> = lengths
            .iter()
            .zip(&pauses)
            .zip(&texts)
            .map(|((length, pause), text)| {
                let sentence = (start, start + length, text.as_str());
                start += length + pause;
                sentence
            })
            .collect();
        let segments = [segment(0.0, start, "Fugues", 0.5)];
        let clips = select_clips(&segments, &sentences, &[], start + 1.0);
        prop_assert!(!clips.is_empty());
        for (from, to) in bounds(&clips) {
            let first = sentences.iter().find(|sentence| sentence.0 >= from - 1e-9);
            let last = sentences.iter().rev().find(|sentence| sentence.1 <= to + 1e-9);
            let (first, last) = (first.unwrap(), last.unwrap());
            prop_assert!(first.0 - from <= 0.5 + 1e-9 && to - last.1 <= 0.5 + 1e-9);
            let cut = |time: f64| sentences.iter().any(|sentence| sentence.0 + 1e-9 < time && time < sentence.1 - 1e-9);
            prop_assert!(!cut(from) && !cut(to));
        }
    }
}

//! What was found in a recording, over its time.

use std::fmt::Write as _;

use lectern_api::{ContentSegment, SilenceRegion};
use maud::{Markup, html};

use super::{ClipWithUrls, Recording};
use crate::display::{clock, clock_range, share};
use crate::language::Language;

/// The greatest number of labelled times below the timeline.
const MAX_TICKS: f64 = 8.0;
/// The height of the row of the waveform with its distance to the next row, in pixels.
const WAVEFORM_ROW: u32 = 48;
/// The share of the timeline below which a bar has no label until the reader zooms.
const NARROW_SHARE: f64 = 0.08;
/// Distances between labelled times, in seconds.
const TICK_DISTANCES: [f64; 13] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
];

pub(super) fn section(language: Language, recording: &Recording) -> Markup {
    let own = language.recording_words();
    let seconds = recording.seconds();
    html! {
        section #timeline .timeline data-seconds=(seconds) aria-labelledby="timeline-title" {
            @if seconds > 0.0 {
                div .section-head {
                    h2 #timeline-title { (own.timeline) }
                    span #clock .clock.needs-script aria-hidden="true" {}
                    span .zoom.needs-script {
                        button type="button" data-zoom="out" aria-label=(own.zoom_out) title=(own.zoom_out) { "−" }
                        button type="button" data-zoom="in" aria-label=(own.zoom_in) title=(own.zoom_in) { "+" }
                    }
                }
                div #track .track role="img" aria-label=(own.timeline) title=(own.timeline_help) {
                    (bars(language, recording, seconds))
                    div .playhead-lane { div #playhead .playhead {} }
                }
                p .legend {
                    span .key.of-topics { (own.topics) } " "
                    span .key.of-clips { (own.clips) } " "
                    span .key.of-silence { (own.silence) }
                    @if recording.waveform_version.is_some() {
                        " " span .key.of-sound.needs-script { (own.waveform) }
                    }
                }
            } @else {
                h2 #timeline-title .unseen { (own.timeline) }
            }
            @if !recording.topics.is_empty() { (topics(language, &recording.topics)) }
        }
    }
}

fn bars(language: Language, recording: &Recording, seconds: f64) -> Markup {
    // The scripts show both.
    let thumbnails = recording.thumbnails_version.as_ref();
    let waveform = recording.waveform_version.as_ref();
    let lower = waveform.map_or(0, |_| WAVEFORM_ROW);
    html! {
        svg #bars .bars width="100%" height=(112 + lower)
            data-thumbnails=[thumbnails.map(|_| format!("{}/thumbnails", recording.api()))]
            data-thumbnails-version=[thumbnails] {
            @for topic in &recording.topics { (topic_bar(language, topic, seconds)) }
            @for clip in &recording.clips { (clip_bar(language, clip, seconds)) }
            // One path in a coordinate system of seconds: there may be thousands of regions.
            svg x="0" y="74" width="100%" height="12" viewBox={ "0 0 " (seconds) " 1" } preserveAspectRatio="none" {
                rect .silence-ground width="100%" height="100%" {}
                path .silence d=(silence_path(&recording.silence_regions)) {}
            }
            @if let Some(version) = waveform {
                svg #waveform x="0" y="92" width="100%" height="40" viewBox={ "0 -128 " (seconds) " 256" }
                    preserveAspectRatio="none" data-version=(version)
                    data-address={ (recording.api()) "/waveform" } {
                    path .sound {}
                }
            }
            @for at in ticks(seconds) {
                line .tick x1=(share(at, seconds)) x2=(share(at, seconds)) y1=(90 + lower) y2=(95 + lower) {}
                text .tick-label x=(share(at, seconds)) dx="3" y=(107 + lower) { (clock(at)) }
            }
        }
    }
}

fn topic_bar(language: Language, topic: &ContentSegment, seconds: f64) -> Markup {
    let own = language.recording_words();
    let importance = topic.importance_score.get();
    let (start, end) = (topic.start_time, topic.end_time);
    html! {
        svg x=(share(start, seconds)) y="0" width=(share(end - start, seconds)) height="36" {
            title {
                (topic.topic) " · " (clock_range(start, end)) " · "
                (own.importance) " " (percent(importance))
            }
            // Its height is the importance: colours alone would not show it to everyone.
            rect .topic-ground width="100%" height="36" rx="4" {}
            rect .topic y=(format!("{:.1}", 36.0 * (1.0 - importance))) width="100%" height="36" rx="3" {}
            text .bar-label.narrow[is_narrow(end - start, seconds)] x="6" y="23" { (topic.topic) }
        }
    }
}

fn clip_bar(language: Language, found: &ClipWithUrls, seconds: f64) -> Markup {
    let own = language.recording_words();
    let clip = &found.clip;
    let (start, end) = (clip.start_time, clip.end_time);
    html! {
        svg x=(share(start, seconds)) y="44" width=(share(end - start, seconds)) height="24" {
            title { (own.clip) ": " (clip.title) " · " (clock_range(start, end)) }
            rect .clip width="100%" height="24" rx="4" data-clip=(clip.clip_id) data-start=(start) data-end=(end) {}
            text .bar-label.on-clip.narrow[is_narrow(end - start, seconds)] x="6" y="17" { (clip.title) }
        }
    }
}

/// Whether a bar of this length is too narrow for a word.
fn is_narrow(length: f64, seconds: f64) -> bool {
    length < seconds * NARROW_SHARE
}

pub(super) fn percent(ratio: f64) -> String {
    format!("{:.0}\u{a0}%", ratio * 100.0)
}

fn silence_path(regions: &[SilenceRegion]) -> String {
    let mut path = String::with_capacity(regions.len() * 32);
    for region in regions {
        // Writing to a string does not fail.
        let _ = write!(
            path,
            "M{} 0H{}V1H{}Z",
            region.start_time, region.end_time, region.start_time
        );
    }
    path
}

/// The times with labels.
fn ticks(seconds: f64) -> impl Iterator<Item = f64> {
    let mut distances = TICK_DISTANCES.into_iter();
    let hours = (seconds / MAX_TICKS / 3_600.0).ceil() * 3_600.0;
    let distance = distances.find(|distance| seconds / distance <= MAX_TICKS);
    let distance = distance.unwrap_or(hours);
    // The label of a time close to the end would not fit.
    (0..9)
        .map(move |i| f64::from(i) * distance)
        .take_while(move |at| *at < seconds * 0.96)
}

fn topics(language: Language, topics: &[ContentSegment]) -> Markup {
    let own = language.recording_words();
    html! {
        details .topics {
            summary { (own.topics) " (" (topics.len()) ")" }
            ol {
                @for topic in topics {
                    li {
                        a .seek href={ "#t=" (topic.start_time) } data-seek=(topic.start_time) {
                            (clock(topic.start_time))
                        }
                        div {
                            strong { (topic.topic) } " "
                            span .soft { (own.importance) " " (percent(topic.importance_score.get())) }
                            @if let Some(description) = &topic.description { p { (description) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_labels_at_round_distances() {
        for (seconds, count, second) in
            [(40.0, 8, 5.0), (3_600.0, 6, 600.0), (90_000.0, 6, 14_400.0)]
        {
            let ticks: Vec<_> = ticks(seconds).collect();
            assert_eq!(
                (ticks.len(), ticks[1]),
                (count, second),
                "{seconds}: {ticks:?}"
            );
        }
        assert_eq!(ticks(0.4).count(), 1);
    }
}

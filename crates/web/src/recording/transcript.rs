//! What is said in a recording.

use lectern_api::TranscriptSegment;
use maud::{Markup, html};
use url::form_urlencoded;

use super::Recording;
use crate::display::clock;
use crate::language::Language;

/// The number of colours of speakers. Further speakers begin again with the first.
const COLOURS: usize = 8;
/// Lines that a browser lays out together, and only when they are in view. The script has the
/// same number.
const LINES_PER_LIST: usize = 25;

pub(super) fn section(language: Language, recording: &Recording) -> Markup {
    let own = language.recording_words();
    let part = &recording.transcript;
    let api = format!("{}/transcripts", recording.api());
    let search = part.search.as_deref();
    html! {
        section #transcript .transcript data-total=(part.total) aria-labelledby="transcript-title" {
            div .section-head {
                h2 #transcript-title { (own.transcript) }
                @if part.total > 0 {
                    label .follow.needs-script {
                        input #follow type="checkbox" checked;
                        " " (own.follow)
                    }
                }
            }
            @if part.total > 0 {
                form .transcript-search method="get" role="search" {
                    input #search type="search" name="q" value=[search]
                        placeholder=(own.search_transcript) aria-label=(own.search_transcript) maxlength="200";
                    button .without-script type="submit" { (own.search) }
                    span #found .soft role="status" {}
                }
                (lines(language, recording))
                nav .pages.without-script aria-label=(own.transcript) {
                    @if part.is_continued || search.is_some() {
                        a href="?" { (own.first_lines) }
                    }
                    @if let Some(next) = part.next_start {
                        a rel="next" href=(next_link(search, next)) { (own.next_lines) }
                    }
                }
                p .downloads {
                    (own.whole_transcript) ": "
                    a href={ (api) "?format=text" } { (own.as_text) } " · "
                    a href={ (api) "?format=vtt" } download { "VTT" } " · "
                    a href={ (api) "?format=srt" } download { "SRT" }
                }
            } @else {
                p .nothing { (own.no_transcript) }
            }
        }
    }
}

fn lines(language: Language, recording: &Recording) -> Markup {
    let own = language.recording_words();
    let part = &recording.transcript;
    let mut speakers: Vec<&str> = Vec::new();
    html! {
        div #lines .lines tabindex="0" role="group" aria-label=(own.transcript) {
            @if part.segments.is_empty() { p .nothing { (own.none_found) } }
            @for (i, lines) in part.segments.chunks(LINES_PER_LIST).enumerate() {
                ol start=(i * LINES_PER_LIST + 1) {
                    @for segment in lines { (line(segment, &mut speakers)) }
                }
            }
        }
    }
}

/// A line. The script makes further ones alike, in `lines.js`.
fn line<'s>(segment: &'s TranscriptSegment, speakers: &mut Vec<&'s str>) -> Markup {
    let speaker = segment
        .speaker_id
        .as_deref()
        .filter(|name| !name.is_empty());
    let colour = speaker.map(|name| {
        let known = speakers.iter().position(|known| *known == name);
        known.unwrap_or_else(|| {
            speakers.push(name);
            speakers.len() - 1
        }) % COLOURS
    });
    html! {
        li data-id=(segment.segment_id) data-start=(segment.start_time) data-end=(segment.end_time)
            lang=[segment.language.as_deref()] {
            a .seek href={ "#t=" (segment.start_time) } data-seek=(segment.start_time) {
                (clock(segment.start_time))
            }
            " "
            span .said {
                @if let (Some(name), Some(colour)) = (speaker, colour) {
                    span class={ "speaker speaker-" (colour) } { (name) } " "
                }
                span .text { (segment.text) }
            }
        }
    }
}

fn next_link(search: Option<&str>, next_start: f64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let search = search.map(|search| ("q", search));
    let query = query
        .extend_pairs(search)
        .append_pair("from", &next_start.to_string());
    format!("?{}", query.finish())
}

//! The clips of a recording.

use lectern_domain::{ContentSegmentId, Title};
use maud::{Markup, html};

use super::timeline::percent;
use super::{ClipWithUrls, Recording, cutting};
use crate::display::{clock, clock_range};
use crate::language::Language;

pub(super) fn section(language: Language, recording: &Recording) -> Markup {
    let (own, editing) = (language.recording_words(), language.editing_words());
    html! {
        section #clips .clips aria-labelledby="clips-title" {
            h2 #clips-title { (own.clips) }
            (cutting::section(language, recording))
            // A recording of unknown length has no times to choose from.
            @if recording.reader.may_change && recording.media_url.is_some() && recording.seconds() > 0.0 {
                button .needs-script type="button" data-new-clip { (editing.clip_from_here) }
            }
            @if recording.clips.is_empty() {
                p .nothing { (own.no_clips) }
            } @else {
                ul {
                    @for (i, clip) in recording.clips.iter().enumerate() {
                        (card(language, recording, (i, clip)))
                    }
                }
            }
            p .downloads {
                @if recording.clips.iter().any(|found| found.clip.s3_key.is_some()) {
                    a href={ (recording.api()) "/clips/archive" } download { (editing.all_clips) }
                }
                @if let Some(url) = &recording.reel_url {
                    " · " a href=(url) download { (editing.reel) }
                }
            }
            @if cutting::has_outdated_reel(recording) {
                p .stale { (editing.reel_outdated) }
            }
            @if recording.has_more_clips {
                p { a href={ (recording.api()) "/clips" } { (own.more_clips) } }
            }
            @if recording.reader.may_change { (form(language)) }
        }
    }
}

fn card(language: Language, recording: &Recording, (i, found): (usize, &ClipWithUrls)) -> Markup {
    let (own, editing) = (language.recording_words(), language.editing_words());
    let clip = &found.clip;
    let (start, end) = (clip.start_time, clip.end_time);
    let subtitles = format!("../api/v1/clips/{}/subtitles", clip.clip_id);
    let score = clip.importance_score.map(|score| percent(score.get()));
    html! {
        li .clip-card data-clip-id=(clip.clip_id) {
            @if let Some(url) = &found.thumbnail_url {
                img .thumbnail src=(url) alt="" loading="lazy" width="320" height="180";
            } @else if recording.clips.iter().any(|other| other.thumbnail_url.is_some()) {
                div .thumbnail {}
            }
            div .clip-text {
                h3 { (clip.title) }
                @if let Some(topic) = clip.topic.as_ref().filter(|topic| topic.as_str() != clip.title.as_str()) {
                    p .topic-name { (topic) }
                }
                @if let Some(text) = clip.content_segment_id.and_then(|id| description(recording, id)) {
                    p .description { (text) }
                }
                p .soft {
                    (clock_range(start, end)) " (" (clock(end - start)) ")"
                    @if let Some(score) = score { " · " (own.score) " " (score) }
                }
                @if clip.s3_key.is_none() {
                    p .stale { (editing.not_cut) }
                } @else if clip.stale {
                    p .stale { (editing.stale) }
                }
                p .clip-links {
                    @if let Some(url) = &found.url {
                        a href=(url) download { (own.download) } " "
                    }
                    span .soft { (own.subtitles) ": " }
                    a href={ (subtitles) "?format=srt" } download { "SRT" } " · "
                    a href={ (subtitles) "?format=vtt" } download { "VTT" } " · "
                    a href={ (subtitles) "?format=text" } { (own.as_text) }
                }
                div .buttons.needs-script {
                    @if recording.media_url.is_some() {
                        button type="button" data-play data-start=(start) data-end=(end) { (own.play_clip) }
                    }
                    @if recording.reader.may_change {
                        button type="button" data-edit { (own.edit) }
                        @if recording.clips.len() > 1 {
                            span .moves {
                                // For pointers. The buttons do the same for keyboards.
                                span .grip aria-hidden="true" title=(editing.drag) { "⠿" }
                                (move_buttons(language, recording, i))
                            }
                        }
                        button .danger type="button" data-delete { (own.delete) }
                    }
                }
            }
        }
    }
}

/// The buttons that exchange a clip with its neighbours.
fn move_buttons(language: Language, recording: &Recording, i: usize) -> Markup {
    let own = language.editing_words();
    let title = recording.clips[i].clip.title.as_str();
    let button = |direction: &str, label: &str, arrow: &str| {
        let label = label.replace('#', title);
        html! {
            button type="button" data-move=(direction) aria-label=(label) title=(label) { (arrow) }
        }
    };
    html! {
        @if i > 0 { (button("up", own.move_up, "↑")) }
        @if i + 1 < recording.clips.len() { (button("down", own.move_down, "↓")) }
    }
}

/// What the topic of a clip is about.
fn description(recording: &Recording, id: ContentSegmentId) -> Option<&str> {
    let topic = recording
        .topics
        .iter()
        .find(|topic| topic.segment_id == id)?;
    topic.description.as_deref()
}

/// The form that the script shows in place of a clip's text.
fn form(language: Language) -> Markup {
    let own = language.recording_words();
    html! {
        template #clip-form {
            form .clip-form {
                label { (own.title) input name="title" required maxlength=(Title::MAX); }
                label { (own.start) input name="start_time" required inputmode="decimal" title=(own.time_format); }
                label { (own.end) input name="end_time" required inputmode="decimal" title=(own.time_format); }
                p .form-error role="alert" hidden {}
                div .buttons {
                    button .main type="submit" { (own.save) }
                    button type="button" data-discard { (own.discard) }
                }
            }
        }
    }
}

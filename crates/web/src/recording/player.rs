//! The player of a recording.

use lectern_domain::JobStatus;
use maud::{Markup, html};

use super::Recording;
use crate::language::Language;

pub(super) fn section(language: Language, recording: &Recording) -> Markup {
    let own = language.recording_words();
    let is_pending = recording.job.status == JobStatus::Pending;
    let url = recording.media_url.as_ref().filter(|_| !is_pending);
    let is_sound = recording.job.content_type.starts_with("audio/");
    html! {
        section #player .player aria-label=(own.player) {
            @if let Some(url) = url {
                @if is_sound {
                    audio #media src=(url) controls preload="metadata" {}
                } @else {
                    video #media src=(url) controls playsinline preload="metadata" {
                        // A browser asks for it when the reader turns it on.
                        @if recording.transcript.total > 0 {
                            track kind="captions" src={ (recording.api()) "/transcripts?format=vtt" }
                                label=(own.subtitles) {}
                        }
                    }
                }
                p .player-links {
                    a href=(url) download { (own.download_recording) }
                    @if recording.has_layout && !is_sound {
                        button #show-regions .needs-script type="button" aria-pressed="false" {
                            (own.show_regions)
                        }
                    }
                }
            } @else {
                p .placeholder { @if is_pending { (own.not_arrived) } @else { (own.no_media) } }
            }
        }
    }
}

//! What can be done with recordings in the list. The controls work with the script only.

use lectern_api::JobResponse;
use lectern_domain::{JobStatus, Stage};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::words::ListWords;
use crate::language::Language;

/// A change of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Cancel,
    Retry,
    Delete,
}

impl Action {
    pub(super) const ALL: [Self; 3] = [Self::Cancel, Self::Retry, Self::Delete];

    /// As the script and the path of the request name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Delete => "delete",
        }
    }

    fn label(self, words: &ListWords) -> &'static str {
        match self {
            Self::Cancel => words.cancel,
            Self::Retry => words.retry,
            Self::Delete => words.delete,
        }
    }

    /// Whether the state of the recording allows it.
    pub(super) fn is_possible(self, job: &JobResponse) -> bool {
        match self {
            Self::Cancel => job.status.can_become(JobStatus::Cancelled),
            Self::Retry => {
                let stage = job.progress.as_ref().map(|progress| progress.stage);
                let has_ended = matches!(job.status, JobStatus::Failed | JobStatus::Cancelled);
                // What has never arrived cannot be processed.
                has_ended && stage != Some(Stage::Uploading)
            }
            Self::Delete => true,
        }
    }

    /// The outline of its icon, on a square of 16 units.
    fn outline(self) -> &'static str {
        match self {
            Self::Cancel => "M4 4l8 8M12 4l-8 8",
            Self::Retry => "M13 8a5 5 0 1 1-1.5-3.6M13 1.8v3h-3",
            Self::Delete => "M3 4.5h10M6.5 4.5V2.6h3v1.9M4.6 4.5l.6 9h5.6l.6-9",
        }
    }
}

/// The buttons in the row of a recording.
pub(super) fn buttons(language: Language, job: &JobResponse) -> Markup {
    let own = language.list_words();
    let possible = || {
        let all = Action::ALL.into_iter();
        all.filter(|action| action.is_possible(job))
    };
    html! {
        @for action in possible() {
            @let label = action.label(own);
            button type="button" data-action=(action.name()) title=(label)
                aria-label=(format!("{label}: {}", job.filename)) {
                svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" {
                    path d=(action.outline()) {}
                }
            }
        }
    }
}

/// The bar for the recordings that are selected, and what was done with them.
pub(super) fn selection(language: Language) -> Markup {
    let own = language.list_words();
    html! {
        div #selection .selection role="group" aria-label=(own.selection) hidden {
            span #selected role="status" {}
            @for action in Action::ALL {
                @let label = action.label(own);
                button type="button" data-action=(action.name()) data-label=(label) { (label) }
            }
            button type="button" data-action="clear" { (own.clear) }
        }
        p #notice .notice role="status" tabindex="-1" hidden {}
    }
}

/// The words that the script shows.
pub(super) fn labels(language: Language) -> Value {
    let own = language.list_words();
    json!({
        "cancel": {
            "confirm_one": own.confirm_cancel_one,
            "confirm_many": own.confirm_cancel_many,
            "done": own.cancelled,
        },
        "retry": { "done": own.retried },
        "delete": {
            "confirm_one": own.confirm_delete_one,
            "confirm_many": own.confirm_delete_many,
            "done": own.deleted,
        },
        "selected": own.selected,
        "not_done": own.not_done,
        "no_connection": own.no_connection,
    })
}

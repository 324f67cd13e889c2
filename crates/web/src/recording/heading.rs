//! Name, status and facts of a recording, and what can be done with it.

use lectern_domain::JobStatus;
use maud::{Markup, html};

use super::Recording;
use crate::display::{clock, file_size, time};
use crate::language::Language;

pub(super) fn section(language: Language, recording: &Recording) -> Markup {
    let (words, own) = (language.words(), language.recording_words());
    let job = &recording.job;
    html! {
        nav .back { a href="../" { span aria-hidden="true" { "← " } (own.back) } }
        header #summary .summary data-status=(job.status) {
            div .summary-title {
                h1 { (job.filename) }
                span class={ "status " (job.status) } { (words.status(job.status)) }
                (progress(language, recording))
            }
            dl .facts {
                @if let Some(length) = job.video_duration {
                    div { dt { (words.length) } dd { (clock(length.get())) } }
                }
                @if let Some(size) = job.file_size {
                    div { dt { (words.size) } dd { (file_size(size.get(), language)) } }
                }
                div { dt { (own.kind) } dd { (job.content_type) } }
                div { dt { (words.created) } dd { (time(job.created_at, language)) } }
                @if let Some(owner) = job.owner_id.as_ref().filter(|_| recording.reader.has_owners) {
                    div { dt { (words.owner) } dd { (owner) } }
                }
            }
            (trouble(language, recording))
            @if recording.reader.may_change { (actions(language, recording)) }
        }
    }
}

fn progress(language: Language, recording: &Recording) -> Markup {
    let job = &recording.job;
    let Some(progress) = job
        .progress
        .as_ref()
        .filter(|_| job.status == JobStatus::Running)
    else {
        return html! {};
    };
    let stage = language.words().stage(progress.stage);
    let percent = format!("{:.0}", progress.percent.get().floor());
    html! {
        div .progress-cell {
            span .stage { (stage) }
            progress max="100" value=(percent) aria-label=(stage) {}
            span .percent { (percent) " %" }
        }
    }
}

/// Why the recording is not being worked on, and what to do about it.
fn trouble(language: Language, recording: &Recording) -> Markup {
    let own = language.recording_words();
    let job = &recording.job;
    let hint = match job.status {
        JobStatus::Failed if recording.reader.may_change => own.hint_failed,
        JobStatus::Failed => own.hint_failed_viewer,
        JobStatus::Cancelled => own.hint_cancelled,
        JobStatus::Queued => own.hint_queued,
        JobStatus::Pending => own.hint_pending,
        JobStatus::Running | JobStatus::Completed => return html! {},
    };
    html! {
        div class={ "trouble " (job.status) } {
            @if let Some(error) = &job.error_message { p .trouble-error { (error) } }
            p { (hint) }
        }
    }
}

/// The buttons that the status of the recording allows. They work with the script only.
fn actions(language: Language, recording: &Recording) -> Markup {
    let (words, own) = (language.words(), language.recording_words());
    let status = recording.job.status;
    let stages = || recording.stages.iter().map(|run| run.stage);
    let has_arrived = stages().next().is_some();
    let may_retry = matches!(status, JobStatus::Failed | JobStatus::Cancelled) && has_arrived;
    let may_rerun = JobStatus::RERUNNABLE.contains(&status) && has_arrived;
    html! {
        div .actions .needs-script {
            @if status.can_become(JobStatus::Cancelled) {
                button type="button" data-action="cancel" data-confirm=(own.confirm_cancel) { (own.cancel) }
            }
            @if may_retry {
                button .main type="button" data-action="retry" { (own.retry) }
            }
            @if may_rerun {
                form data-action="rerun" data-confirm=(own.confirm_rerun) {
                    label { (own.rerun) " "
                        select name="from_stage" {
                            @for stage in stages().filter(|stage| stage.is_work()) {
                                option value=(stage) { (words.stage(stage)) }
                            }
                        }
                    }
                    button type="submit" { (own.rerun_button) }
                }
            }
        }
    }
}

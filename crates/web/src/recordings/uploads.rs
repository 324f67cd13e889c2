//! The place for new recordings. It works with the script only.

use lectern_domain::RECORDING_TYPES;
use maud::{Markup, html};
use serde_json::json;

use super::Uploads;
use crate::display::file_size;
use crate::language::Language;

pub(super) fn section(language: Language, uploads: &Uploads<'_>) -> Markup {
    let own = language.list_words();
    let size = file_size(
        i64::try_from(uploads.max_size).unwrap_or(i64::MAX),
        language,
    );
    let extensions = RECORDING_TYPES.map(|known| format!(".{}", known.extension));
    // Browsers keep unfinished uploads. A checksum of the caller's name distinguishes several
    // people who use one browser, and does not reveal the name.
    let caller = crc32fast::hash(uploads.caller.unwrap_or_default().as_bytes());
    html! {
        section #uploads .uploads.needs-script aria-label=(own.uploads) data-caller=(format!("{caller:08x}"))
            data-labels=(labels(language, &size, &extensions.join(" "))) {
            label .drop {
                strong { (own.drop_here) } " " span .choose { (own.choose) }
                span .soft { (own.upload_hint.replace("{size}", &size)) }
                input .unseen type="file" multiple accept=(extensions.join(","));
            }
            p #upload-announcement .unseen role="status" {}
            ul .upload-list {}
            template {
                li .upload {
                    span .upload-name {}
                    progress max="1" value="0" {}
                    span .upload-state {}
                    span .buttons {
                        button type="button" data-action="pause" { (own.pause) }
                        button type="button" data-action="resume" { (own.resume) }
                        button type="button" data-action="choose" { (own.choose_again) }
                        button type="button" data-action="cancel" { (own.cancel_upload) }
                        a { (own.open) }
                        button type="button" data-action="hide" { (own.hide) }
                    }
                }
            }
        }
    }
}

/// The words that the script shows.
fn labels(language: Language, size: &str, types: &str) -> String {
    let own = language.list_words();
    let labels = json!({
        "waiting": own.waiting,
        "starting": own.starting,
        "sent": own.sent,
        "paused": own.paused,
        "retrying": own.retrying,
        "complete": own.complete,
        "unfinished": own.unfinished,
        "confirm_cancel": own.confirm_cancel_upload,
        "announce_complete": own.announce_complete,
        "announce_failed": own.announce_failed,
        "errors": {
            "too_large": own.too_large.replace("{size}", size),
            "empty": own.empty,
            "wrong_type": own.wrong_type.replace("{types}", types),
            "quota": own.quota,
            "disk_full": own.disk_full,
            "signed_out": own.signed_out,
            "forbidden": own.forbidden,
            "gone": own.gone,
            "unreadable": own.unreadable,
            "other_tab": own.other_tab,
            "refused": own.refused,
        },
    });
    labels.to_string()
}

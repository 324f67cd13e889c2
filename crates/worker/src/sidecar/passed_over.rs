//! Files beside a recording that look like its transcript but are not read.

use lectern_domain::Job;
use serde_json::Value;

use super::name::{EXTENSIONS, FORCED, is_data, suffix};

/// The key in the metadata of a job under which `lectern process` stores the files; it does not
/// copy them.
pub const METADATA_KEY: &str = "passed_over";

/// The most files that are stored in the metadata of a job.
pub const MAX_FILES: usize = 20;

/// Extensions of transcripts and subtitles that are not read, and why.
const UNREAD_FORMATS: [(&str, &str); 9] = [
    ("txt", "text files are not read"),
    ("smi", "SAMI is not read"),
    ("sami", "SAMI is not read"),
    ("sub", "MicroDVD and VobSub are not read"),
    ("sup", "subtitles that are pictures are not read"),
    ("scc", "Scenarist closed captions are not read"),
    ("mcc", "MacCaption is not read"),
    ("stl", "EBU STL is not read"),
    ("docx", "Word documents are not read"),
];

const IS_FORCED: &str = "forced subtitles translate only parts in a foreign language";
const OTHER_NAME: &str = "it may be of another recording: after the recording's name there is \
    more than a language or a word such as captions";

/// A file that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Without directories.
    pub name: String,
    /// A sentence without a capital letter and a full stop.
    pub reason: String,
}

impl PassedOver {
    /// A file that is no sidecar; `None` if its name is not like that of a transcript of the
    /// recording. Any kind of file may have the extension `.json` or `.tsv`, so such names are
    /// ignored.
    pub(super) fn of(recording: &str, name: &str) -> Option<Self> {
        let suffix = suffix(recording, name)?;
        let (between, extension) = suffix.rsplit_once('.')?;
        let unread = UNREAD_FORMATS.iter().find(|(known, _)| *known == extension);
        let reason = match unread {
            Some((_, why)) => *why,
            None if !EXTENSIONS.contains(&extension) || is_data(extension) => return None,
            None if between
                .split(['.', ' ', '_', '-'])
                .any(|word| word == FORCED) =>
            {
                IS_FORCED
            }
            None => OTHER_NAME,
        };
        Some(Self {
            name: name.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// The files that `lectern process` found.
    pub(crate) fn stored(job: &Job) -> Vec<Self> {
        let stored = job.extra_metadata.get().get(METADATA_KEY);
        let files = stored.and_then(Value::as_object).into_iter().flatten();
        let files = files.filter_map(|(name, reason)| {
            Some(Self {
                name: name.clone(),
                reason: reason.as_str()?.to_owned(),
            })
        });
        files.take(MAX_FILES).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_look_like_a_transcript_have_a_reason() {
        for (name, expected) in [
            ("Talk.SMI", Some("SAMI is not read")),
            ("talk.en.txt", Some("text files are not read")),
            ("talk-2.srt", Some(OTHER_NAME)),
            ("talk.en.forced.srt", Some(IS_FORCED)),
            ("talk2.smi", None),
            ("talk.info.json", None),
            ("talk.pdf", None),
            ("talk.mp4", None),
        ] {
            let file = PassedOver::of("talk.mp4", name);
            let reason = file.map(|file| file.reason);
            assert_eq!(reason.as_deref(), expected, "{name}");
        }
    }
}

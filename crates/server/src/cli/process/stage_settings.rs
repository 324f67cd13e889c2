//! The settings on which the output of a stage depends.

use data_encoding::HEXLOWER;
use lectern_domain::{ClipCount, ClipSeconds, ClipShare, Loudness, Stage};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use crate::config::CommonWorkerSettings;

/// A digest of the settings of each stage that has some, in the order of the pipeline.
/// Digests, because a command line may contain a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StageSettings([(Stage, String); 5]);

impl StageSettings {
    pub(super) fn new(worker: &CommonWorkerSettings) -> Self {
        let transcription = json!([
            worker.transcribe_command,
            worker.transcribe_url,
            // The model matters only to the service.
            worker
                .transcribe_url
                .as_ref()
                .map(|_| &worker.transcribe_model),
            // PocketSphinx may have been installed since.
            worker.recognizers().are_available(),
        ]);
        // Without a language as in earlier versions, whose jobs have not changed.
        let transcription = match &worker.processing.language {
            Some(language) => json!([transcription, language.as_str()]),
            None => transcription,
        };
        let topics = json!([
            worker.chat_url,
            worker.chat_url.as_ref().map(|_| &worker.chat_model),
        ]);
        let options = &worker.processing;
        let silence = json!([
            options.audio_track.map(|track| track.to_string()),
            options.silence_level.map(|level| level.to_string()),
        ]);
        let selection = json!([
            options.min_clips.map(ClipCount::get),
            options.max_clips.map(ClipCount::get),
            options.min_clip_seconds.map(ClipSeconds::get),
            options.max_clip_seconds.map(ClipSeconds::get),
            options.clip_share.map(ClipShare::get),
        ]);
        let encoding = json!([
            options.resolution,
            options.burn_subtitles.unwrap_or(false),
            options.loudness.map(Loudness::get),
            options.clip_layout,
        ]);
        Self([
            (Stage::SilenceDetection, hex_digest(&silence)),
            (Stage::Transcription, hex_digest(&transcription)),
            (Stage::ContentAnalysis, hex_digest(&topics)),
            (Stage::Segmentation, hex_digest(&selection)),
            (Stage::Compilation, hex_digest(&encoding)),
        ])
    }

    pub(super) fn to_json(&self) -> Value {
        let members = self.0.iter();
        let members = members.map(|(stage, digest)| (stage.to_string(), json!(digest)));
        Value::Object(members.collect::<Map<_, _>>())
    }

    /// The first stage whose settings differ from the stored ones. A stage without stored
    /// settings counts as unchanged.
    pub(super) fn first_change(&self, stored: &Value) -> Option<Stage> {
        let changed = self.0.iter().find(|(stage, digest)| {
            let stored = stored.get(stage.as_str()).and_then(Value::as_str);
            stored.is_some_and(|stored| stored != digest)
        });
        changed.map(|(stage, _)| *stage)
    }
}

fn hex_digest(settings: &Value) -> String {
    HEXLOWER.encode(digest(&SHA256, settings.to_string().as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    fn settings(arguments: &[&str]) -> StageSettings {
        let command = CommonWorkerSettings::augment_args(Command::new("test"));
        let matches = command.get_matches_from([&["test"], arguments].concat());
        StageSettings::new(&CommonWorkerSettings::from_arg_matches(&matches).unwrap())
    }

    #[test]
    fn a_change_is_found_at_the_first_stage_that_it_concerns() {
        let change = |before: &[&str], after: &[&str]| {
            settings(after).first_change(&settings(before).to_json())
        };
        assert_eq!(change(&[], &[]), None);
        assert_eq!(change(&[], &["--burn-subtitles=false"]), None);
        // Neither has an effect without a service.
        assert_eq!(
            change(&[], &["--transcribe-model=a", "--chat-model=a"]),
            None
        );
        let command = "--transcribe-command=whisper {audio}";
        let url = "--transcribe-url=http://127.0.0.1:9/";
        let chat = "--chat-url=http://127.0.0.1:9/";
        for (before, after, stage) in [
            (&[][..], &[command][..], Stage::Transcription),
            (&[command], &[], Stage::Transcription),
            (&[command], &[url], Stage::Transcription),
            (&[url], &[url, "--transcribe-model=a"], Stage::Transcription),
            (&[], &["--language=de"], Stage::Transcription),
            (&[url], &[url, chat], Stage::ContentAnalysis),
            (&[chat], &[chat, "--chat-model=a"], Stage::ContentAnalysis),
            (&[], &[url, chat], Stage::Transcription),
            (&[], &["--max-clips=4"], Stage::Segmentation),
            (&[], &["--audio-track=mix"], Stage::SilenceDetection),
            (&[], &["--silence-level=-35"], Stage::SilenceDetection),
            (&["--loudness=-16"], &["--loudness=-14"], Stage::Compilation),
            (&[], &["--layout=stack"], Stage::Compilation),
        ] {
            assert_eq!(change(before, after), Some(stage), "{before:?} {after:?}");
        }
    }

    #[test]
    fn jobs_of_earlier_versions_have_not_changed() {
        assert_eq!(
            settings(&["--chat-url=http://127.0.0.1:9/"]).first_change(&Value::Null),
            None
        );
    }

    #[test]
    fn a_command_line_cannot_be_read_from_the_digest() {
        let settings = settings(&["--transcribe-command=curl -u me:secret {audio}"]);
        assert!(!settings.to_json().to_string().contains("secret"));
    }
}

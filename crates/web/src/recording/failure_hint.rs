//! What a person can do about a failed stage.

use crate::language::Language;

/// A kind of error, as the texts of errors tell it: workers of other programs, too, report
/// nothing but a text. An unknown text is [`Cause::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The file is no recording, or cannot be read to its end.
    Damaged,
    /// ffmpeg reads the format, but it is not accepted.
    Format,
    /// The recording is beyond a limit of the worker.
    TooLarge,
    /// A program is missing on the machine of the worker.
    NoProgram,
    /// There is no space for temporary files.
    NoSpace,
    /// The stage took too long.
    TooSlow,
    /// The worker has stopped, or did not reach the server.
    WorkerLost,
    /// The recording is not in the storage.
    NoRecording,
    /// The storage does not answer.
    Storage,
    /// The command of the speech recognizer is set up wrongly.
    RecognizerCommand,
    /// A speech recognizer or language model on the network has refused or not answered.
    Service,
    /// The owner has used up a quota.
    Quota,
    /// The recording lacks what the stage needs.
    NothingToWorkOn,
    /// A program, such as ffmpeg, ended with an error.
    Program,
    /// Anything else.
    Other,
}

/// Parts of texts of errors, and what they tell. The first that an error contains counts.
const SIGNS: [(&str, Cause); 20] = [
    ("not a media file", Cause::Damaged),
    ("is not supported: convert", Cause::Format),
    ("beyond a limit", Cause::TooLarge),
    ("LECTERN_SCRATCH_LIMIT", Cause::NoSpace),
    ("temporary files take", Cause::NoSpace),
    ("No space left on device", Cause::NoSpace),
    ("its time limit", Cause::TooSlow),
    ("the lease expired", Cause::WorkerLost),
    ("there is no object", Cause::NoRecording),
    ("the job has no recording", Cause::NoRecording),
    ("the storage is not available", Cause::Storage),
    ("LECTERN_TRANSCRIBE_COMMAND", Cause::RecognizerCommand),
    ("the command did not write", Cause::RecognizerCommand),
    (" of all jobs may have at most", Cause::Quota),
    ("the recording has no sound", Cause::NothingToWorkOn),
    ("the recording has no picture", Cause::NothingToWorkOn),
    // A URL, and what it answered.
    ("http://", Cause::Service),
    ("https://", Cause::Service),
    (" not found", Cause::NoProgram),
    (" failed (", Cause::Program),
];

impl Cause {
    /// The cause that the text of an error names.
    pub(super) fn of(error: &str) -> Self {
        let sign = SIGNS.iter().find(|(sign, _)| match *sign {
            // The text of a missing program: `program "ffmpeg" not found`.
            " not found" => error.contains("program \"") && error.contains(sign),
            "http://" | "https://" => error.starts_with(sign),
            sign => error.contains(sign),
        });
        sign.map_or(Self::Other, |(_, cause)| *cause)
    }

    /// What to do.
    pub(super) fn hint(self, language: Language) -> &'static str {
        let (english, german) = match self {
            Self::Damaged => (
                "The file is damaged, or no recording. Running again will not help: check that it plays on your computer, and upload it again.",
                "Die Datei ist beschädigt oder keine Aufnahme. Wiederholen hilft nicht: Prüfen Sie, ob Ihr Rechner sie abspielt, und laden Sie sie neu hoch.",
            ),
            Self::Format => (
                "Convert the recording to MP4 or Matroska, and upload the new file.",
                "Wandeln Sie die Aufnahme in MP4 oder Matroska um, und laden Sie die neue Datei hoch.",
            ),
            Self::TooLarge => (
                "Divide the recording, or reduce it. An administrator can raise the limits of the workers (LECTERN_MAX_RECORDING_…); then run again from here.",
                "Teilen oder verkleinern Sie die Aufnahme. Die Administration kann die Grenzen der Worker heben (LECTERN_MAX_RECORDING_…); wiederholen Sie danach ab hier.",
            ),
            Self::NoProgram => (
                "A program is missing on the machine of the worker: an administrator has to install it (for example: apt install ffmpeg). Then run again from here.",
                "Auf dem Rechner des Workers fehlt ein Programm: Die Administration muss es installieren (zum Beispiel: apt install ffmpeg). Wiederholen Sie danach ab hier.",
            ),
            Self::NoSpace => (
                "The worker has no space for temporary files: an administrator has to free some, or raise LECTERN_SCRATCH_LIMIT. Then run again from here.",
                "Dem Worker fehlt Platz für temporäre Dateien: Die Administration muss welchen schaffen oder LECTERN_SCRATCH_LIMIT heben. Wiederholen Sie danach ab hier.",
            ),
            Self::TooSlow => (
                "The worker was too slow, perhaps because its machine was busy: run again from here. If it happens again, an administrator can raise LECTERN_STAGE_TIME_FACTOR.",
                "Der Worker war zu langsam, vielleicht war sein Rechner ausgelastet: Wiederholen Sie ab hier. Geschieht es wieder, kann die Administration LECTERN_STAGE_TIME_FACTOR heben.",
            ),
            Self::WorkerLost => (
                "The worker was stopped, or lost the connection: check that workers run, and run again from here. If it happens again with this recording alone, the worker may be running out of memory.",
                "Der Worker wurde beendet oder verlor die Verbindung: Prüfen Sie, ob Worker laufen, und wiederholen Sie ab hier. Geschieht es nur mit dieser Aufnahme wieder, fehlt dem Worker vielleicht Arbeitsspeicher.",
            ),
            Self::NoRecording => (
                "The recording is not in the storage: upload it again. If it was removed by mistake, an administrator can restore it; then run again from here.",
                "Die Aufnahme ist nicht im Speicher: Laden Sie sie neu hoch. Wurde sie versehentlich entfernt, kann die Administration sie wiederherstellen; wiederholen Sie danach ab hier.",
            ),
            Self::Storage => (
                "The storage did not answer: an administrator has to check it. Then run again from here.",
                "Der Speicher hat nicht geantwortet: Die Administration muss ihn prüfen. Wiederholen Sie danach ab hier.",
            ),
            Self::RecognizerCommand => (
                "The speech recognizer is set up wrongly: an administrator has to correct LECTERN_TRANSCRIBE_COMMAND. Then run again from here.",
                "Die Spracherkennung ist falsch eingerichtet: Die Administration muss LECTERN_TRANSCRIBE_COMMAND berichtigen. Wiederholen Sie danach ab hier.",
            ),
            Self::Service => (
                "The service at this address did not answer, or refused: check it and its key, and run again from here.",
                "Der Dienst an dieser Adresse hat nicht geantwortet oder abgelehnt: Prüfen Sie ihn und seinen Schlüssel, und wiederholen Sie ab hier.",
            ),
            Self::Quota => (
                "A quota is used up: delete recordings that are no longer needed, or ask an administrator for a larger one. Then run again from here.",
                "Ein Kontingent ist erschöpft: Löschen Sie Aufnahmen, die nicht mehr gebraucht werden, oder bitten Sie die Administration um ein größeres. Wiederholen Sie danach ab hier.",
            ),
            Self::NothingToWorkOn => (
                "The recording lacks what this stage needs. Running again will not help: check the recording on your computer, and upload one that has it.",
                "Der Aufnahme fehlt, was dieser Schritt braucht. Wiederholen hilft nicht: Prüfen Sie die Aufnahme auf Ihrem Rechner, und laden Sie eine vollständige hoch.",
            ),
            Self::Program => (
                "A program failed at the recording; the log below has its last lines. Run again from here. If the same error comes back, a part of the recording is probably damaged: convert it, and upload the new file.",
                "Ein Programm ist an der Aufnahme gescheitert; seine letzten Zeilen stehen im Protokoll unten. Wiederholen Sie ab hier. Kommt derselbe Fehler wieder, ist vermutlich ein Teil der Aufnahme beschädigt: Wandeln Sie sie um, und laden Sie die neue Datei hoch.",
            ),
            Self::Other => (
                "Run again from here. If the same error comes back, the log below says more.",
                "Wiederholen Sie ab hier. Kommt derselbe Fehler wieder, sagt das Protokoll unten mehr.",
            ),
        };
        match language {
            Language::English => english,
            Language::German => german,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lectern_domain::{ExceededQuota, StorageKey, error_chain};
    use lectern_media::{ChildError, Error, ProbeError, ScratchFull};
    use lectern_storage::ObjectKey;

    use super::*;

    #[test]
    fn the_errors_of_workers_have_causes() {
        let child = |source| Error::Child {
            doing: "cut a clip",
            source,
        };
        let failed = ChildError::Failed {
            program: "ffmpeg".to_owned(),
            status: std::os::unix::process::ExitStatusExt::from_raw(1 << 8),
            stderr_tail: "Invalid data found when processing input".to_owned(),
        };
        let full = ScratchFull { used: 2, limit: 1 };
        let timed_out = ChildError::TimedOut {
            limit: Duration::from_mins(1),
        };
        let key = ObjectKey::try_from(StorageKey::new("recordings/1.mp4").unwrap()).unwrap();
        let probe = |error| error_chain(&Error::from(error));
        let texts = [
            (
                probe(ProbeError::NotMedia("no tracks".into())),
                Cause::Damaged,
            ),
            (
                probe(ProbeError::UnsupportedFormat("avs".into())),
                Cause::Format,
            ),
            (
                probe(ProbeError::BeyondLimits("9 tracks".into())),
                Cause::TooLarge,
            ),
            (
                error_chain(&child(ChildError::NotFound("ffmpeg".into()))),
                Cause::NoProgram,
            ),
            (
                probe(ProbeError::Child(ChildError::NotFound("ffprobe".into()))),
                Cause::NoProgram,
            ),
            (
                error_chain(&child(ChildError::NoSpace(full))),
                Cause::NoSpace,
            ),
            (error_chain(&child(timed_out)), Cause::TooSlow),
            (error_chain(&child(failed)), Cause::Program),
            (error_chain(&Error::NoAudio), Cause::NothingToWorkOn),
            (
                error_chain(&lectern_storage::Error::NotFound(key)),
                Cause::NoRecording,
            ),
            (ExceededQuota::StoredRows(5).to_string(), Cause::Quota),
            (ExceededQuota::StoredBytes(5).to_string(), Cause::Quota),
        ];
        for (text, cause) in texts {
            assert_eq!(Cause::of(&text), cause, "{text}");
        }
    }

    #[test]
    fn an_address_is_a_service_only_at_the_beginning() {
        let service =
            "https://speech.test/v1/audio/transcriptions answered 503 Service Unavailable";
        assert_eq!(Cause::of(service), Cause::Service);
        let other = "speaker 3 was not found (see https://example.test)";
        assert_eq!(Cause::of(other), Cause::Other);
    }

    #[test]
    fn each_cause_has_a_hint_of_its_own_in_each_language() {
        let causes = SIGNS.iter().map(|(_, cause)| *cause).chain([Cause::Other]);
        let mut hints: Vec<_> = causes
            .flat_map(|cause| [Language::English, Language::German].map(|l| (cause.hint(l), cause)))
            .collect();
        hints.sort_by_key(|(hint, _)| *hint);
        hints.dedup();
        let count = hints.len();
        hints.dedup_by_key(|(hint, _)| *hint);
        assert_eq!(hints.len(), count, "two causes have one hint");
        // All causes, once in each language.
        assert_eq!(count, 2 * (Cause::Other as usize + 1));
    }
}

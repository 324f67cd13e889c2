//! Who made a transcript.

use crate::value::string_enum::string_enum;

string_enum! {
    /// Who made the stored transcript of a job.
    TranscriptSource {
        /// A client, or a person who has changed it since.
        Client = "client",
        /// A subtitle file beside the recording.
        Sidecar = "sidecar",
        /// A subtitle track of the recording.
        Track = "track",
        /// The command that a worker runs (`--transcribe-command`).
        Command = "command",
        /// The service that a worker asks (`--transcribe-url`).
        Service = "service",
        /// PocketSphinx, or a worker that is not Lectern's.
        Recognizer = "recognizer",
    }
}

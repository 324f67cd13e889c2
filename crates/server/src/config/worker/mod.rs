//! Settings of stage workers.

mod confinement;
mod processing;
mod recording_limits;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use lectern_domain::{LeaseDuration, Stage, WorkerName};
use lectern_media::{MissingTool, Tools};
use lectern_worker::StageTimeLimit;
use lectern_worker::stages::{ChatService, Endpoint, RecognizerSettings};

use self::confinement::ConfinementSettings;
use self::processing::ProcessingSettings;
use self::recording_limits::RecordingSettings;

/// Settings of a worker, with its stages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Worker")]
pub struct WorkerSettings {
    /// Stages to run, separated by commas [default: all]
    #[arg(
        long,
        env = "LECTERN_STAGES",
        value_name = "STAGES",
        value_delimiter = ',',
        value_parser = parse_stage,
    )]
    pub stages: Vec<Stage>,

    /// Settings that do not depend on the stages.
    #[command(flatten)]
    pub common: CommonWorkerSettings,
}

/// Settings of a worker that do not depend on its stages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Worker")]
pub struct CommonWorkerSettings {
    /// Maximum number of stages that run at once [default: one per two processors]
    #[arg(
        long,
        env = "LECTERN_CONCURRENCY",
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=64),
    )]
    pub concurrency: Option<u16>,

    /// Name of the worker in claims and logs [default: host and process]
    #[arg(long, env = "LECTERN_WORKER_NAME", value_name = "NAME")]
    pub worker_name: Option<String>,

    /// Duration of a lease in seconds; when a worker dies, another one takes over
    /// after this time
    #[arg(
        long,
        env = "LECTERN_LEASE",
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u16).range(3..=3600),
    )]
    pub lease: u16,

    /// Directory for temporary files; `None`: in the data directory.
    #[arg(
        long,
        env = "LECTERN_SCRATCH_DIR",
        value_name = "DIR",
        help = "Directory for temporary files [default: <data dir>/scratch]"
    )]
    pub scratch_dir: Option<PathBuf>,

    /// Maximum total size of the temporary files in bytes
    #[arg(
        long,
        env = "LECTERN_SCRATCH_LIMIT",
        value_name = "BYTES",
        default_value_t = 100 << 30
    )]
    pub scratch_limit: u64,

    /// Maximum duration of a stage, as a multiple of the recording's length
    #[arg(
        long,
        env = "LECTERN_STAGE_TIME_FACTOR",
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..),
    )]
    pub stage_time_factor: u16,

    /// Maximum duration of a stage of a short recording in seconds
    #[arg(
        long,
        env = "LECTERN_STAGE_TIME_FLOOR",
        value_name = "SECONDS",
        default_value_t = 3600,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub stage_time_floor: u32,

    /// Command that transcribes a recording and writes Whisper's JSON, SRT or WebVTT. {audio} is
    /// replaced by the path of a 16 kHz WAV file, {language} by the language of the speech or auto,
    /// and {out} by the path of the output file, to which the command may append .json, .srt or
    /// .vtt; without {out}, standard output is read. Relative paths start at the worker's current
    /// directory
    #[arg(
        help_heading = "Transcription and topics",
        long,
        env = "LECTERN_TRANSCRIBE_COMMAND",
        value_name = "COMMAND",
        hide_env_values = true
    )]
    pub transcribe_command: Option<String>,

    /// URL of a transcription service with OpenAI's interface, including /v1/audio/transcriptions
    #[arg(
        help_heading = "Transcription and topics",
        long,
        env = "LECTERN_TRANSCRIBE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub transcribe_url: Option<String>,

    /// Model of the transcription service
    #[arg(
        help_heading = "Transcription and topics",
        long,
        env = "LECTERN_TRANSCRIBE_MODEL",
        value_name = "MODEL",
        default_value = "whisper-1"
    )]
    pub transcribe_model: String,

    /// API key of the transcription service
    #[arg(
        help_heading = "Transcription and topics",
        long,
        env = "LECTERN_TRANSCRIBE_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub transcribe_key: Option<String>,

    /// URL of the chat service that finds topics, with OpenAI's interface, including
    /// /v1/chat/completions [default: topics are found locally]
    #[arg(
        help_heading = "Transcription and topics",
        long,
        env = "LECTERN_CHAT_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub chat_url: Option<String>,

    /// Model of the chat service
    #[arg(
        help_heading = "Transcription and topics",
        long,
        env = "LECTERN_CHAT_MODEL",
        value_name = "MODEL",
        default_value = "gpt-4o-mini"
    )]
    pub chat_model: String,

    /// API key of the chat service
    #[arg(
        help_heading = "Transcription and topics",
        long,
        env = "LECTERN_CHAT_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub chat_key: Option<String>,

    /// How recordings are turned into clips.
    #[command(flatten)]
    pub processing: ProcessingSettings,

    /// Limits on recordings.
    #[command(flatten)]
    pub recording: RecordingSettings,

    /// Limits on child processes.
    #[command(flatten)]
    pub confinement: ConfinementSettings,
}

impl WorkerSettings {
    /// Converts the settings.
    pub fn worker(&self, data_dir: &Path) -> anyhow::Result<lectern_worker::Settings> {
        self.common.worker(self.stages().to_vec(), data_dir)
    }

    /// Finds the programs that the stages need.
    pub fn tools(&self) -> Result<Tools, MissingTool> {
        let tools = Tools::find()?.confined_by(self.common.confinement.of_ffmpeg())?;
        if self.stages().contains(&Stage::Compilation) {
            tools.require_h264_encoder()
        } else {
            Ok(tools)
        }
    }

    /// The selected stages; all when none is selected.
    fn stages(&self) -> &[Stage] {
        match self.stages.as_slice() {
            [] => Stage::WORK,
            stages => stages,
        }
    }
}

impl CommonWorkerSettings {
    /// Converts the settings for these stages.
    pub fn worker(
        &self,
        stages: Vec<Stage>,
        data_dir: &Path,
    ) -> anyhow::Result<lectern_worker::Settings> {
        let configured = self.worker_name.as_deref().filter(|name| !name.is_empty());
        let name = configured.map_or_else(own_name, ToOwned::to_owned);
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(lectern_worker::Settings {
            name: WorkerName::new(name).context("LECTERN_WORKER_NAME")?,
            stages,
            concurrency: self.concurrency.map_or(processors.div_ceil(2), usize::from),
            lease: LeaseDuration::new(self.lease.into()).context("LECTERN_LEASE")?,
            poll_interval: Duration::from_secs(1),
            scratch_dir: self
                .scratch_dir
                .clone()
                .unwrap_or_else(|| data_dir.join("scratch")),
            scratch_limit: self.scratch_limit,
            recording_limits: self.recording.limits()?,
            options: self.processing.options()?,
            time_limit: StageTimeLimit {
                factor: self.stage_time_factor.into(),
                floor: Duration::from_secs(self.stage_time_floor.into()),
            },
        })
    }

    /// The configured programs and services for speech recognition.
    pub fn recognizers(&self) -> RecognizerSettings {
        RecognizerSettings {
            command: non_blank(self.transcribe_command.as_ref()),
            endpoint: non_blank(self.transcribe_url.as_ref()).map(|url| Endpoint {
                url,
                model: self.transcribe_model.clone(),
                key: non_blank(self.transcribe_key.as_ref()),
            }),
            confinement: self.confinement.of_recognizer(),
        }
    }

    /// The chat service that finds topics, if one is configured.
    pub fn chat(&self) -> Option<ChatService> {
        non_blank(self.chat_url.as_ref()).map(|url| {
            ChatService(Endpoint {
                url,
                model: self.chat_model.clone(),
                key: non_blank(self.chat_key.as_ref()),
            })
        })
    }
}

/// The value of a setting; a blank environment variable counts as not set.
fn non_blank(value: Option<&String>) -> Option<String> {
    value.filter(|value| !value.trim().is_empty()).cloned()
}

fn parse_stage(text: &str) -> Result<Stage, String> {
    match text.trim().parse::<Stage>() {
        Ok(stage) if stage.is_work() => Ok(stage),
        _ => {
            let all: Vec<_> = Stage::WORK.iter().map(ToString::to_string).collect();
            Err(format!("must be one of {}", all.join(", ")))
        }
    }
}

/// A name unique to this process: host name and process id.
fn own_name() -> String {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let id = std::process::id().to_string();
    let max_host_chars = WorkerName::MAX - id.len() - 1;
    format!(
        "{}-{id}",
        host.chars().take(max_host_chars).collect::<String>()
    )
}

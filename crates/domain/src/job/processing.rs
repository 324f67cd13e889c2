//! Settings of a job.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::value::string_enum::string_enum;
use crate::value::{InField, Invalid, JsonObject, JsonValue, ParseEnumError, PipelineName};

string_enum! {
    /// Which parts of the recording are analysed.
    ProcessingMode {
        /// The sound only.
        Audio = "audio",
        /// Sound and picture.
        Vision = "vision",
    }
}

string_enum! {
    /// Height of the pictures in the clips.
    Resolution {
        /// 1280 × 720.
        P720 = "720p",
        /// 1920 × 1080.
        P1080 = "1080p",
        /// 2560 × 1440.
        P1440 = "1440p",
        /// 3840 × 2160.
        P2160 = "2160p",
    }
}

/// Settings of a job: a JSON object. `processing_mode`, `resolution` and `pipeline`
/// are checked; all other keys are passed to the workers.
///
/// ```
/// use lectern_domain::{ProcessingConfig, ProcessingMode};
/// use serde_json::json;
///
/// let config = ProcessingConfig::try_from(json!({ "processing_mode": "audio", "model": "small" }))?;
/// assert_eq!(config.processing_mode(), ProcessingMode::Audio);
///
/// let error = ProcessingConfig::try_from(json!({ "resolution": "8k" })).unwrap_err();
/// assert_eq!(error.errors()[0].field, "resolution");
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProcessingConfig {
    settings: JsonObject,
    processing_mode: Option<ProcessingMode>,
    resolution: Option<Resolution>,
    pipeline: Option<PipelineName>,
}

impl ProcessingConfig {
    /// Checks the known settings; the error names the invalid one.
    pub fn new(settings: Map<String, Value>) -> Result<Self, Invalid> {
        Ok(Self {
            processing_mode: enum_setting(&settings, "processing_mode", ProcessingMode::ALL)?,
            resolution: enum_setting(&settings, "resolution", Resolution::ALL)?,
            pipeline: pipeline_setting(&settings)?,
            settings: JsonObject::new(settings)?,
        })
    }

    /// Default: [`ProcessingMode::Vision`].
    pub fn processing_mode(&self) -> ProcessingMode {
        self.processing_mode.unwrap_or(ProcessingMode::Vision)
    }

    /// Height of the pictures in the clips; `None`: the worker decides.
    pub fn resolution(&self) -> Option<Resolution> {
        self.resolution
    }

    /// Name of the job's pipeline; `None`: the default pipeline.
    pub fn pipeline(&self) -> Option<&PipelineName> {
        self.pipeline.as_ref()
    }

    /// All settings, known and unknown.
    pub fn settings(&self) -> &JsonObject {
        &self.settings
    }

    /// All settings, owned.
    pub fn into_settings(self) -> JsonObject {
        self.settings
    }
}

impl TryFrom<Value> for ProcessingConfig {
    type Error = Invalid;

    fn try_from(value: Value) -> Result<Self, Invalid> {
        match value {
            Value::Object(settings) => Self::new(settings),
            _ => Err(Invalid::new("must be a JSON object")),
        }
    }
}

impl JsonValue for ProcessingConfig {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        Self::try_from(json)
    }

    fn to_json(&self) -> Value {
        self.settings.to_json()
    }
}

/// Parses a setting with a fixed set of values; `None` if it is absent or `null`.
fn enum_setting<T>(
    settings: &Map<String, Value>,
    name: &str,
    all: &[T],
) -> Result<Option<T>, Invalid>
where
    T: FromStr<Err = ParseEnumError> + ToString,
{
    let invalid = || {
        let values: Vec<_> = all.iter().map(T::to_string).collect();
        Invalid::new(format!("must be one of {}", values.join(", ")))
    };
    match settings.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| invalid()).in_field(name),
        Some(_) => Err(invalid()).in_field(name),
    }
}

/// Parses the name of a pipeline; [`Pipelines`](crate::Pipelines) decides whether
/// it exists.
fn pipeline_setting(settings: &Map<String, Value>) -> Result<Option<PipelineName>, Invalid> {
    match settings.get("pipeline") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => PipelineName::new(name).map(Some),
        Some(_) => Err(Invalid::new("must be the name of a pipeline")),
    }
    .in_field("pipeline")
}

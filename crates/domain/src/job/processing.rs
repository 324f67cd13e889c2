//! Settings of a job.

use serde_json::{Map, Value};

use super::option_value::{OptionValue as _, Resolution, one_of};
use super::processing_options::ProcessingOptions;
use crate::value::string_enum::string_enum;
use crate::value::{InField, Invalid, JsonObject, JsonValue, PipelineName};

string_enum! {
    /// Which parts of the recording are analysed.
    ProcessingMode {
        /// The sound only.
        Audio = "audio",
        /// Sound and picture.
        Vision = "vision",
    }
}

/// Settings of a job: a JSON object. `processing_mode`, `pipeline` and the
/// [`ProcessingOptions`] are checked; all other keys are passed to the workers.
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
    options: ProcessingOptions,
    pipeline: Option<PipelineName>,
}

impl ProcessingConfig {
    /// Checks the known settings; the error names the invalid one.
    pub fn new(settings: Map<String, Value>) -> Result<Self, Invalid> {
        let options = ProcessingOptions::from_settings(&settings)?;
        Self::with_options(settings, options)
    }

    fn with_options(
        settings: Map<String, Value>,
        options: ProcessingOptions,
    ) -> Result<Self, Invalid> {
        let mode = match settings.get("processing_mode") {
            None | Some(Value::Null) => None,
            Some(mode) => Some(one_of(mode, ProcessingMode::ALL).in_field("processing_mode")?),
        };
        Ok(Self {
            processing_mode: mode,
            options,
            pipeline: pipeline_setting(&settings)?,
            settings: JsonObject::new(settings)?,
        })
    }

    /// Default: [`ProcessingMode::Vision`].
    pub fn processing_mode(&self) -> ProcessingMode {
        self.processing_mode.unwrap_or(ProcessingMode::Vision)
    }

    /// How the recording is turned into clips.
    pub fn options(&self) -> &ProcessingOptions {
        &self.options
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
            _ => Err(not_an_object()),
        }
    }
}

impl JsonValue for ProcessingConfig {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        let Value::Object(settings) = json else {
            return Err(not_an_object());
        };
        // Earlier versions checked this option, too.
        if let Some(resolution) = settings.get("resolution").filter(|json| !json.is_null()) {
            Resolution::from_json(resolution).in_field("resolution")?;
        }
        let options = ProcessingOptions::from_stored(&settings);
        Self::with_options(settings, options)
    }

    fn to_json(&self) -> Value {
        self.settings.to_json()
    }
}

fn not_an_object() -> Invalid {
    Invalid::new("must be a JSON object")
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

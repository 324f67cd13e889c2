//! Pipelines: the stages of a job and the dependencies between them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::job::{ProcessingConfig, ProcessingMode};
use crate::retry_delay::{Backoff, BackoffJson};
use crate::stage::Stage;
use crate::stage_run::StageRun;
use crate::value::{AttemptTimeout, InField, Invalid, PipelineName};

/// A stage of a pipeline, its dependencies and the limits of its attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// One of [`Stage::WORK`].
    pub stage: Stage,
    /// The stages that must be completed before this stage starts.
    pub after: Vec<Stage>,
    /// The greatest number of attempts, from 1 to [`Step::ATTEMPT_LIMIT`].
    pub max_attempts: i32,
    /// How long one attempt may last; `None`: as long as its lease is extended.
    pub timeout: Option<AttemptTimeout>,
    /// The pauses between failed attempts.
    pub backoff: Backoff,
}

impl Step {
    /// The greatest value of [`Step::max_attempts`].
    pub const ATTEMPT_LIMIT: i32 = 100;

    /// A step with the default limits.
    pub fn new(stage: Stage, after: Vec<Stage>) -> Self {
        Self {
            stage,
            after,
            max_attempts: StageRun::MAX_ATTEMPTS,
            timeout: None,
            backoff: Backoff::default(),
        }
    }
}

/// A [`Step`] in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepJson {
    stage: Stage,
    #[serde(default)]
    after: Vec<Stage>,
    max_attempts: Option<i32>,
    timeout_seconds: Option<i32>,
    backoff: Option<BackoffJson>,
}

impl TryFrom<StepJson> for Step {
    type Error = Invalid;

    fn try_from(json: StepJson) -> Result<Self, Invalid> {
        let default = Self::new(json.stage, json.after);
        let timeout = json.timeout_seconds.map(AttemptTimeout::new).transpose();
        let backoff = json.backoff.map(Backoff::try_from).transpose();
        Ok(Self {
            max_attempts: json.max_attempts.unwrap_or(default.max_attempts),
            timeout: timeout.in_field("timeout_seconds")?,
            backoff: backoff.in_field("backoff")?.unwrap_or(default.backoff),
            ..default
        })
    }
}

/// The stages of a job, sorted so that every stage comes after its dependencies.
///
/// ```
/// use lectern_domain::{Pipeline, Stage};
/// use serde_json::json;
///
/// let subtitles = Pipeline::from_json(json!([
///     { "stage": "compilation", "after": ["transcription"] },
///     { "stage": "transcription" },
/// ]))?;
/// assert_eq!(subtitles.steps()[0].stage, Stage::Transcription);
///
/// let cycle = Pipeline::from_json(json!([
///     { "stage": "compilation", "after": ["segmentation"] },
///     { "stage": "segmentation", "after": ["compilation"] },
/// ]));
/// assert_eq!(
///     cycle.unwrap_err().to_string(),
///     "value must not have a dependency cycle: segmentation, compilation"
/// );
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    steps: Vec<Step>,
}

impl Pipeline {
    /// Checks that every stage is in [`Stage::WORK`], is unique and depends on
    /// stages of this pipeline only, that it has a valid number of attempts, and that
    /// there is no dependency cycle.
    pub fn new(steps: Vec<Step>) -> Result<Self, Invalid> {
        if steps.is_empty() {
            return Err(Invalid::new("must have at least one stage"));
        }
        for (i, step) in steps.iter().enumerate() {
            let Step { stage, after, .. } = step;
            let invalid_step = |message: String| Err(Invalid::field(format!("[{i}]"), message));
            if !stage.is_work() {
                return invalid_step(format!("must be a stage that workers process, not {stage}"));
            }
            if steps[..i].iter().any(|earlier| earlier.stage == *stage) {
                return invalid_step(format!("must be unique: {stage} is there already"));
            }
            let is_there = |wanted: &&Stage| steps.iter().any(|step| step.stage == **wanted);
            if let Some(missing) = after.iter().find(|wanted| !is_there(wanted)) {
                return invalid_step(format!(
                    "must not wait for {missing}, which is not in the pipeline"
                ));
            }
            if !(1..=Step::ATTEMPT_LIMIT).contains(&step.max_attempts) {
                let message = format!("must be between 1 and {}", Step::ATTEMPT_LIMIT);
                return Err(Invalid::field(format!("[{i}].max_attempts"), message));
            }
        }
        sort_by_dependencies(steps).map(|steps| Self { steps })
    }

    /// Reads `[{"stage": "…", "after": ["…"]}, …]`. A step may also have `max_attempts`,
    /// `timeout_seconds` and `backoff`, an object of `first_seconds`, `factor` and
    /// `max_seconds`.
    pub fn from_json(json: Value) -> Result<Self, Invalid> {
        let steps: Vec<StepJson> = serde_json::from_value(json)
            .map_err(|error| Invalid::new(format!("must be a list of stages: {error}")))?;
        let steps = steps.into_iter().enumerate();
        let steps = steps.map(|(i, step)| Step::try_from(step).in_field(&format!("[{i}]")));
        Self::new(steps.collect::<Result<_, _>>()?)
    }

    /// The steps, each after its dependencies.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The pipeline without the stage `removed`, whose dependents inherit its
    /// dependencies.
    pub fn without(&self, removed: Stage) -> Result<Self, Invalid> {
        let step = self.steps.iter().find(|step| step.stage == removed);
        let inherited = step.map_or_else(Vec::new, |step| step.after.clone());
        let mut steps = self.steps.clone();
        steps.retain(|step| step.stage != removed);
        for step in &mut steps {
            if step.after.contains(&removed) {
                step.after.retain(|stage| *stage != removed);
                step.after.extend(&inherited);
                step.after.sort_unstable();
                step.after.dedup();
            }
        }
        Self::new(steps)
    }
}

impl Default for Pipeline {
    /// Silence detection, transcription and layout analysis in parallel, then
    /// content analysis, segmentation and compilation.
    fn default() -> Self {
        use Stage::{
            Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection,
            Transcription,
        };
        let step = |stage, after: &[Stage]| Step::new(stage, after.to_vec());
        Self {
            steps: vec![
                step(SilenceDetection, &[]),
                step(Transcription, &[]),
                step(LayoutAnalysis, &[]),
                step(
                    ContentAnalysis,
                    &[SilenceDetection, Transcription, LayoutAnalysis],
                ),
                step(Segmentation, &[ContentAnalysis]),
                step(Compilation, &[Segmentation]),
            ],
        }
    }
}

/// Sorts every step after its dependencies, and otherwise by stage. If no step can
/// come next, the remaining steps contain a dependency cycle.
fn sort_by_dependencies(mut steps: Vec<Step>) -> Result<Vec<Step>, Invalid> {
    steps.sort_by_key(|step| step.stage);
    let mut ordered: Vec<Step> = Vec::with_capacity(steps.len());
    while !steps.is_empty() {
        let is_done = |stage: &Stage| ordered.iter().any(|step| step.stage == *stage);
        let Some(next) = steps.iter().position(|step| step.after.iter().all(is_done)) else {
            let stages: Vec<_> = steps.iter().map(|step| step.stage.as_str()).collect();
            return Err(Invalid::new(format!(
                "must not have a dependency cycle: {}",
                stages.join(", ")
            )));
        };
        ordered.push(steps.remove(next));
    }
    Ok(ordered)
}

/// The pipelines that jobs select by name, and the default pipeline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pipelines {
    default: Pipeline,
    named: BTreeMap<String, Pipeline>,
}

impl Pipelines {
    /// Reads `{"<name>": [{"stage": "…", "after": ["…"]}, …], …}`. The pipeline named
    /// `default` is for jobs that select no pipeline; if it is missing,
    /// [`Pipeline::default`] takes its place.
    pub fn from_json(json: Value) -> Result<Self, Invalid> {
        let Value::Object(object) = json else {
            return Err(Invalid::new("must be a JSON object of pipelines by name"));
        };
        let mut named = BTreeMap::new();
        for (name, steps) in object {
            let checked = PipelineName::new(name.as_str()).in_field(&name)?;
            let pipeline = Pipeline::from_json(steps).in_field(&name)?;
            named.insert(checked.into_string(), pipeline);
        }
        let default = named.get("default").cloned().unwrap_or_default();
        Ok(Self { default, named })
    }

    /// The pipeline of a job with these settings: the selected pipeline without the
    /// stages that the job's processing mode omits.
    ///
    /// # Errors
    ///
    /// Names the setting if the pipeline is unknown or no stage remains.
    pub fn for_config(&self, config: Option<&ProcessingConfig>) -> Result<Pipeline, Invalid> {
        let name = config.and_then(ProcessingConfig::pipeline);
        let pipeline = match name.map(PipelineName::as_str) {
            None | Some("default") => &self.default,
            Some(name) => self.named.get(name).ok_or_else(|| {
                let mut names: Vec<_> = self.named.keys().map(String::as_str).collect();
                names.push("default");
                names.sort_unstable();
                names.dedup();
                Invalid::field(
                    "processing_config.pipeline",
                    format!("must be one of {}", names.join(", ")),
                )
            })?,
        };
        match config.map(ProcessingConfig::processing_mode) {
            Some(ProcessingMode::Audio) => pipeline.without(Stage::LayoutAnalysis).map_err(|_| {
                Invalid::field(
                    "processing_config.processing_mode",
                    "leaves no stage of this pipeline",
                )
            }),
            _ => Ok(pipeline.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stages(pipeline: &Pipeline) -> Vec<&str> {
        let steps = pipeline.steps().iter();
        steps.map(|step| step.stage.as_str()).collect()
    }

    #[test]
    fn the_default_pipeline_is_valid() {
        let default = Pipeline::default();
        assert_eq!(Pipeline::new(default.steps().to_vec()), Ok(default));
    }

    #[test]
    fn audio_mode_omits_layout_analysis() {
        let config = ProcessingConfig::try_from(json!({ "processing_mode": "audio" })).unwrap();
        let pipeline = Pipelines::default().for_config(Some(&config)).unwrap();
        assert_eq!(
            stages(&pipeline),
            [
                "silence_detection",
                "transcription",
                "content_analysis",
                "segmentation",
                "compilation"
            ]
        );
        assert_eq!(
            pipeline.steps()[2].after,
            [Stage::SilenceDetection, Stage::Transcription]
        );
    }

    #[test]
    fn dependents_of_a_deleted_stage_inherit_its_dependencies() {
        let pipeline = Pipeline::from_json(json!([
            { "stage": "transcription" },
            { "stage": "layout_analysis", "after": ["transcription"] },
            { "stage": "compilation", "after": ["layout_analysis"] },
        ]))
        .unwrap();
        let without = pipeline.without(Stage::LayoutAnalysis).unwrap();
        assert_eq!(without.steps()[1].after, [Stage::Transcription]);
    }

    #[test]
    fn an_invalid_pipeline_is_refused_with_its_field() {
        for (steps, field, message) in [
            (json!([]), "p", "must have at least one stage"),
            (
                json!([{ "stage": "uploading" }]),
                "p[0]",
                "must be a stage that workers process, not uploading",
            ),
            (
                json!([{ "stage": "segmentation" }, { "stage": "segmentation" }]),
                "p[1]",
                "must be unique: segmentation is there already",
            ),
            (
                json!([{ "stage": "segmentation", "after": ["compilation"] }]),
                "p[0]",
                "must not wait for compilation, which is not in the pipeline",
            ),
            (
                json!([{ "stage": "segmentation", "after": ["segmentation"] }]),
                "p",
                "must not have a dependency cycle: segmentation",
            ),
        ] {
            let error = Pipelines::from_json(json!({ "p": steps })).unwrap_err();
            assert_eq!(error.errors()[0].field, field);
            assert_eq!(error.errors()[0].message, message);
        }
    }

    #[test]
    fn a_step_sets_the_limits_of_its_attempts() {
        let pipeline = Pipeline::from_json(json!([
            { "stage": "transcription", "max_attempts": 100, "timeout_seconds": 604_800,
              "backoff": { "first_seconds": 600 } },
            { "stage": "compilation", "after": ["transcription"], "max_attempts": null,
              "backoff": { "factor": 1.5, "max_seconds": 60 } },
        ]))
        .unwrap();
        let [first, second] = pipeline.steps() else {
            panic!("{pipeline:?}")
        };
        assert_eq!((first.max_attempts, second.max_attempts), (100, 3));
        assert_eq!(first.timeout, Some(AttemptTimeout::new(604_800).unwrap()));
        assert_eq!(second.timeout, None);
        assert_eq!(first.backoff, Backoff::new(600, 2.0, 600).unwrap());
        assert_eq!(second.backoff, Backoff::new(2, 1.5, 60).unwrap());
    }

    #[test]
    fn an_invalid_limit_is_refused_with_its_field() {
        for (limit, field, message) in [
            (
                json!({ "max_attempts": 0 }),
                "p[0].max_attempts",
                "must be between 1 and 100",
            ),
            (
                json!({ "max_attempts": 101 }),
                "p[0].max_attempts",
                "must be between 1 and 100",
            ),
            (
                json!({ "timeout_seconds": 0 }),
                "p[0].timeout_seconds",
                "must be between 1 and 604800",
            ),
            (
                json!({ "backoff": { "factor": 0.9 } }),
                "p[0].backoff.factor",
                "must be between 1 and 100",
            ),
            (
                json!({ "backoff": { "max_seconds": 1 } }),
                "p[0].backoff.max_seconds",
                "must not be less than first_seconds",
            ),
        ] {
            let mut step = limit;
            step["stage"] = json!("compilation");
            let error = Pipelines::from_json(json!({ "p": [step] })).unwrap_err();
            assert_eq!(error.errors()[0].field, field);
            assert_eq!(error.errors()[0].message, message);
        }
        for step in [
            json!({ "stage": "compilation", "backoff": { "pause": 1 } }),
            json!({ "stage": "compilation", "max_attempts": 1.5 }),
        ] {
            assert!(Pipeline::from_json(json!([step])).is_err());
        }
    }

    #[test]
    fn a_job_selects_a_pipeline_by_name() {
        let pipelines =
            Pipelines::from_json(json!({ "speech": [{ "stage": "transcription" }] })).unwrap();
        let of = |name| {
            let config = ProcessingConfig::try_from(json!({ "pipeline": name })).unwrap();
            pipelines.for_config(Some(&config))
        };
        assert_eq!(stages(&of("speech").unwrap()), ["transcription"]);
        assert_eq!(of("default"), Ok(Pipeline::default()));
        let error = of("music").unwrap_err();
        assert_eq!(error.errors()[0].field, "processing_config.pipeline");
        assert_eq!(error.errors()[0].message, "must be one of default, speech");
    }
}

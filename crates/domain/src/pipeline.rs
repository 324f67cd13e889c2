//! Which stages a job goes through, and what each of them waits for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{At, Invalid, PipelineName, ProcessingConfig, ProcessingMode, Stage};

/// A stage of a pipeline and the stages that come before it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    pub stage: Stage,
    /// What has to be completed before it begins.
    #[serde(default)]
    pub after: Vec<Stage>,
}

/// The stages of a job in an order in which they could be done one by one.
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
/// let circle = Pipeline::from_json(json!([
///     { "stage": "compilation", "after": ["segmentation"] },
///     { "stage": "segmentation", "after": ["compilation"] },
/// ]));
/// assert_eq!(
///     circle.unwrap_err().to_string(),
///     "value must not go in a circle: segmentation, compilation wait for each other"
/// );
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    steps: Vec<Step>,
}

impl Pipeline {
    /// Checks that every stage is one a worker can do, is there once, waits for
    /// stages of this pipeline only, and never for itself by way of others.
    pub fn new(steps: Vec<Step>) -> Result<Self, Invalid> {
        if steps.is_empty() {
            return Err(Invalid::new("must have at least one stage"));
        }
        for (i, Step { stage, after }) in steps.iter().enumerate() {
            let at = |message: String| Err(Invalid::field(format!("[{i}]"), message));
            if !stage.is_work() {
                return at(format!("must be a stage workers do, not {stage}"));
            }
            if steps[..i].iter().any(|earlier| earlier.stage == *stage) {
                return at(format!("must be unique: {stage} is there already"));
            }
            let is_there = |wanted: &&Stage| steps.iter().any(|step| step.stage == **wanted);
            if let Some(missing) = after.iter().find(|wanted| !is_there(wanted)) {
                return at(format!(
                    "must not wait for {missing}, which is not in the pipeline"
                ));
            }
        }
        in_order(steps).map(|steps| Self { steps })
    }

    /// Reads `[{"stage": "…", "after": ["…"]}, …]`.
    pub fn from_json(json: Value) -> Result<Self, Invalid> {
        let steps = serde_json::from_value(json)
            .map_err(|error| Invalid::new(format!("must be a list of stages: {error}")))?;
        Self::new(steps)
    }

    /// The steps, none before one it waits for.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The same without one stage: whoever waited for it waits for what it
    /// waited for.
    pub fn without(&self, left_out: Stage) -> Result<Self, Invalid> {
        let of_it = self.steps.iter().find(|step| step.stage == left_out);
        let inherited = of_it.map_or_else(Vec::new, |step| step.after.clone());
        let mut steps = self.steps.clone();
        steps.retain(|step| step.stage != left_out);
        for step in &mut steps {
            if step.after.contains(&left_out) {
                step.after.retain(|stage| *stage != left_out);
                step.after.extend(&inherited);
                step.after.sort_unstable();
                step.after.dedup();
            }
        }
        Self::new(steps)
    }
}

impl Default for Pipeline {
    /// Silence, speech and layout side by side, then the topics, the choice of
    /// the clips, and the clips.
    fn default() -> Self {
        use Stage::{
            Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection,
            Transcription,
        };
        let step = |stage, after: &[Stage]| Step {
            stage,
            after: after.to_vec(),
        };
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

/// Puts every step after those it waits for, and else in the order of the
/// stages. What is left when none can come next waits in a circle.
fn in_order(mut steps: Vec<Step>) -> Result<Vec<Step>, Invalid> {
    steps.sort_by_key(|step| step.stage);
    let mut ordered: Vec<Step> = Vec::with_capacity(steps.len());
    while !steps.is_empty() {
        let is_done = |stage: &Stage| ordered.iter().any(|step| step.stage == *stage);
        let Some(next) = steps.iter().position(|step| step.after.iter().all(is_done)) else {
            let stages: Vec<_> = steps.iter().map(|step| step.stage.as_str()).collect();
            return Err(Invalid::new(format!(
                "must not go in a circle: {} wait for each other",
                stages.join(", ")
            )));
        };
        ordered.push(steps.remove(next));
    }
    Ok(ordered)
}

/// The pipelines a job can choose from by name, and the one for those that do
/// not choose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pipelines {
    default: Pipeline,
    named: BTreeMap<String, Pipeline>,
}

impl Pipelines {
    /// Reads `{"<name>": [{"stage": "…", "after": ["…"]}, …], …}`. The one named
    /// `default` is for jobs that do not choose; left out, it is
    /// [`Pipeline::default`].
    pub fn from_json(json: Value) -> Result<Self, Invalid> {
        let Value::Object(object) = json else {
            return Err(Invalid::new("must be a JSON object of pipelines by name"));
        };
        let mut named = BTreeMap::new();
        for (name, steps) in object {
            let checked = PipelineName::new(name.as_str()).at(&name)?;
            let pipeline = Pipeline::from_json(steps).at(&name)?;
            named.insert(checked.into_string(), pipeline);
        }
        let default = named.get("default").cloned().unwrap_or_default();
        Ok(Self { default, named })
    }

    /// The pipeline of a job with these settings: the one it names, without the
    /// stages its mode leaves out.
    ///
    /// # Errors
    ///
    /// Names the setting when there is no such pipeline, or nothing is left of
    /// it.
    pub fn of(&self, config: Option<&ProcessingConfig>) -> Result<Pipeline, Invalid> {
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
    fn the_default_pipeline_keeps_its_own_rules() {
        let default = Pipeline::default();
        assert_eq!(Pipeline::new(default.steps().to_vec()), Ok(default));
    }

    #[test]
    fn a_job_that_is_only_heard_waits_for_no_layout() {
        let config = ProcessingConfig::try_from(json!({ "processing_mode": "audio" })).unwrap();
        let pipeline = Pipelines::default().of(Some(&config)).unwrap();
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
    fn what_waited_for_a_stage_left_out_waits_for_what_that_one_waited_for() {
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
    fn what_is_no_pipeline_is_refused_and_says_where() {
        for (steps, field, message) in [
            (json!([]), "p", "must have at least one stage"),
            (
                json!([{ "stage": "uploading" }]),
                "p[0]",
                "must be a stage workers do, not uploading",
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
                "must not go in a circle: segmentation wait for each other",
            ),
        ] {
            let error = Pipelines::from_json(json!({ "p": steps })).unwrap_err();
            assert_eq!(error.errors()[0].field, field);
            assert_eq!(error.errors()[0].message, message);
        }
    }

    #[test]
    fn a_job_chooses_among_the_pipelines_there_are() {
        let pipelines =
            Pipelines::from_json(json!({ "speech": [{ "stage": "transcription" }] })).unwrap();
        let of = |name| {
            let config = ProcessingConfig::try_from(json!({ "pipeline": name })).unwrap();
            pipelines.of(Some(&config))
        };
        assert_eq!(stages(&of("speech").unwrap()), ["transcription"]);
        assert_eq!(of("default"), Ok(Pipeline::default()));
        let error = of("music").unwrap_err();
        assert_eq!(error.errors()[0].field, "processing_config.pipeline");
        assert_eq!(error.errors()[0].message, "must be one of default, speech");
    }
}

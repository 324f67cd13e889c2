//! A service that transcribes as OpenAI's does.

use std::path::Path;

use lectern_formats::{Cue, whisper_json};
use ureq::unversioned::multipart::Form;

use super::super::Endpoint;
use super::Recognizer;
use crate::Failure;
use crate::stage::StageContext;

impl Recognizer for Endpoint {
    fn hear(&self, audio: &Path, task: &StageContext<'_>) -> Result<Vec<Cue>, Failure> {
        let (model, audio) = (self.model.clone(), audio.to_owned());
        let body = self.ask(task.cancel(), move |request| {
            let form = Form::new()
                .text("model", &model)
                .text("response_format", "verbose_json")
                .file("file", &audio)?;
            request.send(form)
        })?;
        whisper_json::read(&body).map_err(|error| {
            Failure::transient(self.hide(&format!("what {} answered: {error}", self.place())))
        })
    }
}

//! A service that transcribes as OpenAI's does.

use std::path::Path;

use lectern_formats::{Cue, whisper};
use ureq::unversioned::multipart::Form;

use super::super::Endpoint;
use super::Recognizer;
use crate::Failure;
use crate::task::Task;

impl Recognizer for Endpoint {
    fn hear(&self, audio: &Path, task: &Task<'_>) -> Result<Vec<Cue>, Failure> {
        task.check()?;
        let form = Form::new()
            .text("model", &self.model)
            .text("response_format", "verbose_json")
            .file("file", audio)?;
        let body = self.body(self.request().send(form))?;
        whisper::read(&body)
            .map_err(|error| Failure::passing(format!("what {} answered: {error}", self.url)))
    }
}

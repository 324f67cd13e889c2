//! A service with an API like OpenAI's audio transcriptions.

use std::path::Path;

use lectern_formats::{InputFormat, Transcript};
use ureq::unversioned::multipart::Form;

use super::Recognizer;
use crate::failure::Failure;
use crate::stage_handler::StageContext;
use crate::stages::openai::Endpoint;

impl Recognizer for Endpoint {
    fn recognize(
        &self,
        audio: &Path,
        seconds: f64,
        context: &StageContext<'_>,
    ) -> Result<Transcript, Failure> {
        let (model, audio) = (self.model.clone(), audio.to_owned());
        let language = context.options().language;
        let body = self.request(context.cancellation(), move |builder| {
            let mut form = Form::new()
                .text("model", &model)
                .text("response_format", "verbose_json")
                // Without these, there are no times of words.
                .text("timestamp_granularities[]", "segment")
                .text("timestamp_granularities[]", "word");
            if let Some(language) = &language {
                form = form.text("language", language.primary());
            }
            let form = form.file("file", &audio)?;
            builder.send(form)
        })?;
        let file = InputFormat::Json.read(&body);
        let transcript = file.and_then(|file| file.transcript(Some(seconds)));
        transcript.map_err(|error| {
            let service = self.public_url();
            Failure::transient(self.redact(&format!("the response of {service}: {error}")))
        })
    }
}

//! A chat service that finds the topics of a transcript.

use std::fmt::Write as _;

use lectern_domain::{
    InField, Invalid, Keyword, LongText, NewContentSegment, NonNegativeInt, Ratio, TimeRange,
    Topic, TranscriptSegment,
};
use serde::Deserialize;
use serde_json::json;
use ureq::RequestBuilder;

use super::endpoint::Endpoint;
use crate::failure::Failure;
use crate::stage_handler::StageContext;

/// Maximum number of requests for one transcript. An invalid response causes another
/// request.
const MAX_ATTEMPTS: usize = 3;
/// Times in the prompt are rounded to this many seconds.
const TIME_PRECISION_SECONDS: f64 = 0.1;

const PROMPT: &str = "You divide the transcript of a recording into parts by topic. Each line of \
    the transcript begins with its start and end in seconds. Answer with one JSON object and \
    nothing else: {\"segments\": [{\"start_time\": number, \"end_time\": number, \"topic\": \
    string of at most 200 characters, \"description\": string, \"importance_score\": number from \
    0 to 1, \"keywords\": [string], \"concepts\": [string]}]}. The parts are in order, do not \
    overlap, begin and end where lines do, and are in the language of the transcript.";

/// A service with an API like OpenAI's chat completions, which finds the topics of
/// a transcript.
#[derive(Debug, Clone)]
pub struct ChatService(pub Endpoint);

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

/// The JSON object that the prompt asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Segments {
    segments: Vec<Segment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Segment {
    start_time: f64,
    end_time: f64,
    topic: String,
    description: String,
    importance_score: f64,
    keywords: Vec<String>,
    concepts: Vec<String>,
}

impl ChatService {
    /// The topics of a transcript. The request is repeated a few times if the
    /// response is invalid.
    pub(in crate::stages) fn topics(
        &self,
        transcript: &[TranscriptSegment],
        context: &StageContext<'_>,
    ) -> Result<Vec<NewContentSegment>, Failure> {
        let mut text = String::new();
        for segment in transcript {
            let (start, end) = (segment.time.start(), segment.time.end());
            let _ = writeln!(text, "{start:.1} {end:.1} {}", segment.text.as_str());
        }
        let request = json!({
            "model": self.0.model,
            "temperature": 0,
            "response_format": { "type": "json_object" },
            "messages": [
                { "role": "system", "content": PROMPT },
                { "role": "user", "content": text },
            ],
        });
        let end = transcript.iter().map(|segment| segment.time.end());
        let end = end.fold(0.0, f64::max);
        let mut last_error = String::new();
        for _ in 0..MAX_ATTEMPTS {
            let request = request.clone();
            let send = move |builder: RequestBuilder<_>| builder.send_json(&request);
            match read_completion(&self.0.request(context.cancellation(), send)?, end) {
                Ok(segments) => return Ok(segments),
                Err(error) => last_error = error,
            }
        }
        let service = self.0.public_url();
        Err(Failure::transient(self.0.redact(&format!(
            "{service} sent an invalid response: {last_error}"
        ))))
    }
}

/// Reads a chat completion for a transcript that ends at `end` seconds.
fn read_completion(body: &[u8], end: f64) -> Result<Vec<NewContentSegment>, String> {
    let completion: Completion =
        serde_json::from_slice(body).map_err(|error| format!("not a chat completion: {error}"))?;
    let choice = completion.choices.into_iter().next();
    let choice = choice.ok_or_else(|| "it has no choices".to_owned())?;
    read_segments(&choice.message.content, end)
}

/// Reads and checks the segments for a transcript that ends at `end` seconds.
fn read_segments(content: &str, end: f64) -> Result<Vec<NewContentSegment>, String> {
    let response: Segments = serde_json::from_str(content).map_err(|error| error.to_string())?;
    let mut previous_end = 0.0;
    let mut segments = Vec::with_capacity(response.segments.len());
    for (i, segment) in response.segments.into_iter().enumerate() {
        let segment =
            content_segment(segment, i).map_err(|error| format!("segments[{i}]: {error}"))?;
        let is_early = segment.time.start() < previous_end - TIME_PRECISION_SECONDS;
        let is_late = segment.time.end() > end + TIME_PRECISION_SECONDS;
        if is_early || is_late {
            return Err(format!(
                "segments[{i}] overlaps another or ends after the transcript"
            ));
        }
        previous_end = segment.time.end();
        segments.push(segment);
    }
    if segments.is_empty() {
        return Err("it has no segments".to_owned());
    }
    Ok(segments)
}

fn content_segment(segment: Segment, i: usize) -> Result<NewContentSegment, Invalid> {
    let keywords = |words: Vec<String>| -> Result<Vec<Keyword>, _> {
        words.into_iter().map(Keyword::new).collect()
    };
    Ok(NewContentSegment {
        time: TimeRange::new(segment.start_time, segment.end_time)?,
        topic: Topic::new(segment.topic).in_field("topic")?,
        description: Some(LongText::new(segment.description).in_field("description")?),
        importance_score: Ratio::new(segment.importance_score).in_field("importance_score")?,
        keywords: keywords(segment.keywords).in_field("keywords")?,
        concepts: keywords(segment.concepts).in_field("concepts")?,
        segment_order: NonNegativeInt::position(i)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: &str = r#"{"start_time": 0, "end_time": 30.04, "topic": "Trees", "description": "",
        "importance_score": 0.5, "keywords": ["leaf"], "concepts": []}"#;

    #[test]
    fn valid_segments_are_accepted() {
        let content = format!(r#"{{"segments": [{SEGMENT}]}}"#);
        let segments = read_segments(&content, 30.0).unwrap();
        assert_eq!(segments[0].topic.as_str(), "Trees");
    }

    #[test]
    fn invalid_segments_are_rejected() {
        let overlapping = format!(r#"{{"segments": [{SEGMENT}, {SEGMENT}]}}"#);
        let unknown_field = SEGMENT.replace("\"concepts\"", "\"mood\": 1, \"concepts\"");
        let too_important = SEGMENT.replace("0.5", "5");
        let too_late = SEGMENT.replace("30.04", "31");
        for content in [
            "Here you are:",
            r#"{"segments": []}"#,
            &overlapping,
            &format!(r#"{{"segments": [{unknown_field}]}}"#),
            &format!(r#"{{"segments": [{too_important}]}}"#),
            &format!(r#"{{"segments": [{too_late}]}}"#),
        ] {
            assert!(read_segments(content, 30.0).is_err(), "{content}");
        }
    }
}

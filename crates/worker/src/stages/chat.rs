//! A service that chats as OpenAI's does, and finds the topics.

use std::fmt::Write as _;

use lectern_domain::{
    At, Invalid, Keyword, LongText, NewContentSegment, NonNegativeInt, Ratio, TimeRange, Topic,
    TranscriptSegment,
};
use serde::Deserialize;
use serde_json::json;
use ureq::RequestBuilder;

use super::Endpoint;
use crate::Failure;
use crate::stage::StageContext;

/// How often it is asked when it answers something else.
const TRIES: usize = 3;

const TASK: &str = "You divide the transcript of a recording into parts by topic. Each line of \
    the transcript begins with its start and end in seconds. Answer with one JSON object and \
    nothing else: {\"segments\": [{\"start_time\": number, \"end_time\": number, \"topic\": \
    string of at most 200 characters, \"description\": string, \"importance_score\": number from \
    0 to 1, \"keywords\": [string], \"concepts\": [string]}]}. The parts are in order, do not \
    overlap, begin and end where lines do, and are in the language of the transcript.";

/// A service that finds the topics.
#[derive(Debug, Clone)]
pub struct ChatService(pub Endpoint);

#[derive(Deserialize)]
struct Answer {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    segments: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    start_time: f64,
    end_time: f64,
    topic: String,
    description: String,
    importance_score: f64,
    keywords: Vec<String>,
    concepts: Vec<String>,
}

impl ChatService {
    /// The topics of a transcript. Whatever the service answers is checked, and
    /// asked for anew a few times when it is not as it has to be.
    pub(super) fn topics(
        &self,
        transcript: &[TranscriptSegment],
        task: &StageContext<'_>,
    ) -> Result<Vec<NewContentSegment>, Failure> {
        let mut text = String::new();
        for segment in transcript {
            let (start, end) = (segment.time.start(), segment.time.end());
            let _ = writeln!(text, "{start:.1} {end:.1} {}", segment.text.as_str());
        }
        let question = json!({
            "model": self.0.model,
            "temperature": 0,
            "response_format": { "type": "json_object" },
            "messages": [
                { "role": "system", "content": TASK },
                { "role": "user", "content": text },
            ],
        });
        let end = transcript.iter().map(|segment| segment.time.end());
        let end = end.fold(0.0, f64::max);
        let mut why = String::new();
        for _ in 0..TRIES {
            let question = question.clone();
            let ask = move |request: RequestBuilder<_>| request.send_json(&question);
            match read(&self.0.ask(task.cancel(), ask)?, end) {
                Ok(parts) => return Ok(parts),
                Err(error) => why = error,
            }
        }
        let place = self.0.place();
        Err(Failure::transient(
            self.0.hide(&format!("{place} answered {why}")),
        ))
    }
}

/// Reads an answer about a transcript that ends at `end` seconds.
fn read(body: &[u8], end: f64) -> Result<Vec<NewContentSegment>, String> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|error| format!("no chat completion: {error}"))?;
    let content = answer.choices.into_iter().next();
    let content = content.ok_or_else(|| "nothing".to_owned())?;
    parts(&content.message.content, end)
}

/// Checks what was said of a transcript that ends at `end` seconds.
fn parts(said: &str, end: f64) -> Result<Vec<NewContentSegment>, String> {
    let told: Told = serde_json::from_str(said).map_err(|error| error.to_string())?;
    let mut before = 0.0;
    let mut parts = Vec::with_capacity(told.segments.len());
    for (i, part) in told.segments.into_iter().enumerate() {
        let part = segment(part, i).map_err(|error| format!("segments[{i}]: {error}"))?;
        // Rounded to a tenth in the question.
        if part.time.start() < before - 0.1 || part.time.end() > end + 0.1 {
            return Err(format!("segments[{i}] is not where it can be"));
        }
        before = part.time.end();
        parts.push(part);
    }
    if parts.is_empty() {
        return Err("no segments".to_owned());
    }
    Ok(parts)
}

fn segment(part: Part, i: usize) -> Result<NewContentSegment, Invalid> {
    let words = |words: Vec<String>| -> Result<Vec<Keyword>, _> {
        words.into_iter().map(Keyword::new).collect()
    };
    Ok(NewContentSegment {
        time: TimeRange::new(part.start_time, part.end_time)?,
        topic: Topic::new(part.topic).at("topic")?,
        description: Some(LongText::new(part.description).at("description")?),
        importance_score: Ratio::new(part.importance_score).at("importance_score")?,
        keywords: words(part.keywords).at("keywords")?,
        concepts: words(part.concepts).at("concepts")?,
        segment_order: NonNegativeInt::position(i)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str = r#"{"start_time": 0, "end_time": 30.04, "topic": "Trees", "description": "",
        "importance_score": 0.5, "keywords": ["leaf"], "concepts": []}"#;

    #[test]
    fn what_fits_is_taken() {
        let said = format!(r#"{{"segments": [{PART}]}}"#);
        assert_eq!(parts(&said, 30.0).unwrap()[0].topic.as_str(), "Trees");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let twice = format!(r#"{{"segments": [{PART}, {PART}]}}"#);
        let more = PART.replace("\"concepts\"", "\"mood\": 1, \"concepts\"");
        let much = PART.replace("0.5", "5");
        let late = PART.replace("30.04", "31");
        for said in [
            "Here you are:",
            r#"{"segments": []}"#,
            &twice,
            &format!(r#"{{"segments": [{more}]}}"#),
            &format!(r#"{{"segments": [{much}]}}"#),
            &format!(r#"{{"segments": [{late}]}}"#),
        ] {
            assert!(parts(said, 30.0).is_err(), "{said}");
        }
    }
}

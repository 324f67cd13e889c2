//! A chat service that finds the topics of a transcript.

use std::fmt::Write as _;

use lectern_domain::{
    InField, Invalid, Keyword, LongText, NewContentSegment, NonNegativeInt, Ratio, TimeRange,
    Topic, TranscriptSegment,
};
use lectern_media::CancellationToken;
use serde::Deserialize;
use serde_json::{Map, Value, json};
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
    string, \"description\": string, \"importance_score\": number from 0 to 1, \"keywords\": \
    [string], \"concepts\": [string]}]}. The parts are in order, do not overlap, begin and end \
    where lines do, and are in the language of the transcript. \"topic\" is a title of 3 to 8 \
    words, \"description\" one sentence. Greetings, announcements, homework, interruptions and \
    goodbyes are parts of their own, with an importance of at most 0.1; the most important part \
    has 1.";

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
        transcript: &[&TranscriptSegment],
        context: &StageContext<'_>,
    ) -> Result<Vec<NewContentSegment>, Failure> {
        let mut text = String::new();
        for segment in transcript {
            let (start, end) = (segment.time.start(), segment.time.end());
            let _ = writeln!(text, "{start:.1} {end:.1} {}", segment.text.as_str());
        }
        let end = transcript.iter().map(|segment| segment.time.end());
        let end = end.fold(0.0, f64::max);
        let mut last_error = String::new();
        for _ in 0..MAX_ATTEMPTS {
            match read_completion(&self.complete(&text, context.cancellation())?, end) {
                Ok(segments) => return Ok(segments),
                Err(error) => last_error = error,
            }
        }
        let service = self.0.public_url();
        Err(Failure::transient(self.0.redact(&format!(
            "{service} sent an invalid response: {last_error}"
        ))))
    }

    /// The chat completion for a transcript, in the JSON that the schema describes. A service
    /// that does not know schemas is asked for any JSON.
    fn complete(&self, text: &str, cancellation: &CancellationToken) -> Result<Vec<u8>, Failure> {
        let strict = json!({
            "type": "json_schema",
            "json_schema": { "name": "segments", "strict": true, "schema": schema() },
        });
        match self.complete_as(&strict, text, cancellation) {
            Err(Failure::Permanent { message, details }) if refuses_request(&details) => {
                log::info!("{message} to a JSON schema; asking for JSON without one");
                self.complete_as(&json!({ "type": "json_object" }), text, cancellation)
            }
            answer => answer,
        }
    }

    fn complete_as(
        &self,
        response_format: &Value,
        text: &str,
        cancellation: &CancellationToken,
    ) -> Result<Vec<u8>, Failure> {
        let request = json!({
            "model": self.0.model,
            "temperature": 0,
            "response_format": response_format,
            "messages": [
                { "role": "system", "content": PROMPT },
                { "role": "user", "content": text },
            ],
        });
        let send = move |builder: RequestBuilder<_>| builder.send_json(&request);
        self.0.request(cancellation, send)
    }
}

/// Whether a service has refused the request as such, rather than the key or the model.
fn refuses_request(details: &Map<String, Value>) -> bool {
    let status = details.get("status").and_then(Value::as_u64);
    matches!(status, Some(400 | 422))
}

/// The JSON Schema of [`Segments`], within what OpenAI's strict mode allows: all properties
/// are required, and there are no bounds.
fn schema() -> Value {
    let object = |properties: Value| {
        let names: Vec<_> = properties
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .collect();
        json!({
            "type": "object",
            "required": names,
            "additionalProperties": false,
            "properties": properties,
        })
    };
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let segment = object(json!({
        "start_time": { "type": "number" },
        "end_time": { "type": "number" },
        "topic": { "type": "string" },
        "description": { "type": "string" },
        "importance_score": { "type": "number" },
        "keywords": texts,
        "concepts": texts,
    }));
    object(json!({ "segments": { "type": "array", "items": segment } }))
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

    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

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

    /// Answers one request with each status, and returns the requests.
    fn serve(listener: &TcpListener, statuses: &[&str]) -> Vec<Value> {
        let answer = |status: &&str| {
            let mut connection = listener.accept().unwrap().0;
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let (mut length, mut line) = (0, String::new());
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).unwrap();
                let lower = line.to_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 2");
            connection
                .write_all(format!("{head}\r\n\r\n{{}}").as_bytes())
                .unwrap();
            serde_json::from_slice(&body).unwrap()
        };
        statuses.iter().map(answer).collect()
    }

    /// The type of the response format of each request to a service with these answers, and
    /// whether there was a completion.
    fn formats(statuses: &[&str]) -> (Vec<String>, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let chat = ChatService(Endpoint {
            url: format!("http://{}/v1/chat", listener.local_addr().unwrap()),
            model: "small".to_owned(),
            key: None,
        });
        thread::scope(|scope| {
            let server = scope.spawn(|| serve(&listener, statuses));
            let completed = chat.complete("0.0 1.0 Hello.", &CancellationToken::new());
            let requests = server.join().unwrap();
            let format = |request: &Value| {
                let format = request["response_format"]["type"].as_str();
                format.unwrap().to_owned()
            };
            (requests.iter().map(format).collect(), completed.is_ok())
        })
    }

    #[test]
    fn a_service_without_schemas_is_asked_for_any_json() {
        assert_eq!(formats(&["200 OK"]), (vec!["json_schema".to_owned()], true));
        let both = vec!["json_schema".to_owned(), "json_object".to_owned()];
        for refusal in ["400 Bad Request", "422 Unprocessable Content"] {
            assert_eq!(formats(&[refusal, "200 OK"]), (both.clone(), true));
        }
        // The key is wrong, which another format does not change.
        let unauthorized = formats(&["401 Unauthorized"]);
        assert_eq!(unauthorized, (vec!["json_schema".to_owned()], false));
    }

    #[test]
    fn the_schema_describes_what_is_read() {
        let segment = schema()["properties"]["segments"]["items"].clone();
        let read: Value = serde_json::from_str(SEGMENT).unwrap();
        let names = |json: &Value| {
            json.as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&segment["properties"]), names(&read));
        assert_eq!(segment["required"], json!(names(&read)));
    }
}

//! Reads a transcript and silences as JSON from standard input, and writes the topics and
//! the clips as JSON.
//!
//! ```sh
//! echo '{"duration": 30, "silences": [[0, 1]], "transcript": [[1, 12, "A fugue begins."]]}' |
//!     cargo run --example select_clips
//! ```

use std::io::{self, Read, Write};

use lectern_analysis::clip::{self, ClipRules};
use lectern_analysis::{ContentSegmentRef, TranscriptSegmentRef, content_segment};
use lectern_domain::{Invalid, Keyword, TimeRange, VideoDuration};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut input = String::new();
    io::stdin().read_to_string(&mut input)?;
    let input: Value = serde_json::from_str(&input)?;
    writeln!(io::stdout(), "{}", analyse(&input)?)?;
    Ok(())
}

fn analyse(input: &Value) -> Result<Value, Invalid> {
    let items = |name: &str| input[name].as_array().cloned().unwrap_or_default();
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let time = |item: &Value| TimeRange::new(number(&item[0]), number(&item[1]));
    let silences: Vec<TimeRange> = items("silences")
        .iter()
        .map(time)
        .collect::<Result<_, _>>()?;
    let segments = items("transcript");
    let transcript: Vec<TranscriptSegmentRef<'_>> = segments
        .iter()
        .map(|segment| {
            let text = segment[2].as_str().unwrap_or_default();
            Ok(TranscriptSegmentRef {
                time: time(segment)?,
                text,
                words: &[],
            })
        })
        .collect::<Result<_, Invalid>>()?;
    let duration = VideoDuration::new(number(&input["duration"]))?;

    let topics = content_segment::find_with_silences(transcript.iter().copied(), &silences)?;
    let refs: Vec<ContentSegmentRef<'_>> = topics.iter().map(Into::into).collect();
    let clips = clip::select(
        &refs,
        &transcript,
        &silences,
        duration,
        &ClipRules::default(),
    )?;

    let words = |words: &[Keyword]| {
        words
            .iter()
            .map(|word| json!(word.as_str()))
            .collect::<Value>()
    };
    let topics: Vec<Value> = topics
        .iter()
        .map(|topic| {
            json!({
                "start": topic.time.start(),
                "end": topic.time.end(),
                "topic": topic.topic.as_str(),
                "description": topic.description.as_deref(),
                "importance": topic.importance_score.get(),
                "keywords": words(&topic.keywords),
                "concepts": words(&topic.concepts),
            })
        })
        .collect();
    let clips: Vec<Value> = clips
        .iter()
        .map(|selected| {
            json!({
                "start": selected.clip.time.start(),
                "end": selected.clip.time.end(),
                "title": selected.clip.title.as_str(),
                "description": selected.description,
                "importance": selected.clip.importance_score.map(lectern_domain::Ratio::get),
                "segment": selected.segment_index,
            })
        })
        .collect();
    Ok(json!({ "topics": topics, "clips": clips }))
}

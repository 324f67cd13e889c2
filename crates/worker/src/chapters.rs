//! The chapters of the recording: read by the stage that detects silence, and used by the one that
//! finds topics.

use lectern_analysis::chapter::{ChapterRef, Chapters, MAX_CHAPTERS};
use lectern_domain::{NewContentSegment, Topic, VideoDuration};
use lectern_media::{Chapter, MediaInfo};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::stage_handler::StageContext;
use crate::stage_output::Notes;

/// The greatest number of characters of a title that are kept.
const MAX_TITLE: usize = 2 * Topic::MAX;

/// Reads the chapters of a recording. Those that cannot be read, or are too many to be topics,
/// are noted.
pub(crate) fn read(
    context: &StageContext<'_>,
    recording: &MediaInfo,
    notes: &mut Notes,
) -> Result<Vec<Chapter>, Failure> {
    let chapters = match context.media().chapters(recording).map_err(Failure::from) {
        Ok(chapters) => chapters,
        Err(Failure::Cancelled) => return Err(Failure::Cancelled),
        Err(failure) => {
            notes.warning(format!(
                "the recording's chapters cannot be read: {failure}"
            ));
            Vec::new()
        }
    };
    let count = chapters.len();
    if count > MAX_CHAPTERS {
        notes.warning(format!(
            "the recording's {count} chapters are not used: more than {MAX_CHAPTERS} are no \
             division into topics"
        ));
        return Ok(Vec::new());
    }
    Ok(chapters)
}

/// The `chapters` member of a job's `video_metadata`.
pub(crate) fn metadata(chapters: &[Chapter]) -> Value {
    let chapter = |chapter: &Chapter| {
        let title = chapter.title.as_deref().map(|title| {
            let stored = title.chars().filter(|c| *c != '\0').take(MAX_TITLE);
            stored.collect::<String>()
        });
        json!({ "start_time": chapter.start, "end_time": chapter.end, "title": title })
    };
    chapters.iter().map(chapter).collect()
}

impl StageContext<'_> {
    /// The chapters that divide the recording: those of the job's metadata, or, if no worker has
    /// stored any properties of the recording, those of the file, if that need not be fetched.
    pub(crate) fn chapters(&self, notes: &mut Notes) -> Result<Chapters, Failure> {
        let duration = self
            .job()
            .video_duration
            .map_or(f64::INFINITY, VideoDuration::get);
        let metadata = self.job().video_metadata.get();
        // Clients can write the metadata.
        if let Some(Value::Array(stored)) = metadata.get("chapters") {
            return Ok(Chapters::of(
                stored.iter().filter_map(stored_chapter),
                duration,
            ));
        }
        let is_examined = metadata.contains_key("format");
        if is_examined || self.storage().local_file(self.recording_key())?.is_none() {
            return Ok(Chapters::default());
        }
        let recording = match self.probe() {
            Ok(recording) => recording,
            Err(Failure::Cancelled) => return Err(Failure::Cancelled),
            // A transcript has topics without its recording.
            Err(_) => return Ok(Chapters::default()),
        };
        let chapters = read(self, &recording, notes)?;
        let chapters = chapters.iter().map(|chapter| ChapterRef {
            start: chapter.start,
            end: chapter.end,
            title: chapter.title.as_deref(),
        });
        Ok(Chapters::of(chapters, recording.duration))
    }
}

/// A chapter of the metadata.
fn stored_chapter(json: &Value) -> Option<ChapterRef<'_>> {
    Some(ChapterRef {
        start: json["start_time"].as_f64()?,
        end: json["end_time"].as_f64()?,
        title: json["title"].as_str(),
    })
}

/// The topics of a recording with chapters, which were found locally, in the words of a service
/// that has found others: each gets those of the service's topic with which it shares most time.
/// The titles of chapters stay.
pub(crate) fn described(
    mut topics: Vec<NewContentSegment>,
    by: &[NewContentSegment],
    chapters: &Chapters,
) -> Vec<NewContentSegment> {
    for topic in &mut topics {
        let shared = |other: &NewContentSegment| {
            let end = topic.time.end().min(other.time.end());
            end - topic.time.start().max(other.time.start())
        };
        let best = by.iter().max_by(|a, b| shared(a).total_cmp(&shared(b)));
        let Some(best) = best.filter(|best| shared(best) > 0.0) else {
            continue;
        };
        let middle = f64::midpoint(topic.time.start(), topic.time.end());
        let has_title = chapters.title_at(middle).is_some();
        *topic = NewContentSegment {
            time: topic.time,
            topic: if has_title { &topic.topic } else { &best.topic }.clone(),
            segment_order: topic.segment_order,
            ..best.clone()
        };
    }
    topics
}

/// Notes on how topics follow the chapters.
pub(crate) fn note_use(chapters: &Chapters, segments: &[NewContentSegment], notes: &mut Notes) {
    if !chapters.is_empty() {
        notes.info(use_of(chapters, segments));
    }
    let left_out = chapters.left_out();
    if left_out > 0 {
        notes.warning(format!(
            "{left_out} of the recording's chapters are left out: they last no time, or begin \
             outside the recording"
        ));
    }
    if chapters.overlap() {
        notes.warning(
            "the recording's chapters overlap: each is taken to end where the next one begins",
        );
    }
}

fn use_of(chapters: &Chapters, segments: &[NewContentSegment]) -> String {
    let used = chapters.used_by(segments);
    let count = used.chapters;
    let noun = if count == 1 { "chapter" } else { "chapters" };
    let which = match count - used.with_segments {
        0 => format!("the recording's {count} {noun}"),
        _ => format!("{} of the recording's {count} {noun}", used.with_segments),
    };
    let mut note = if chapters.have_titles() {
        format!("topics are {which}")
    } else {
        format!("topics begin and end at {which}, whose names are no titles")
    };
    if used.with_segments < count {
        note.push_str("; in the others, nothing is said");
    }
    if used.divided > 0 {
        note.push_str("; chapters of more than ten minutes are divided");
    }
    note
}

#[cfg(test)]
mod tests {
    use lectern_domain::{Ratio, TimeRange};

    use super::*;

    fn topic(title: &str, start: f64, end: f64, importance: f64) -> NewContentSegment {
        let time = TimeRange::new(start, end).unwrap();
        NewContentSegment::new(title, time, Ratio::new(importance).unwrap()).unwrap()
    }

    #[test]
    fn a_service_describes_the_chapters_but_does_not_move_or_rename_them() {
        let chapter = |start, end, title| ChapterRef { start, end, title };
        let chapters = Chapters::of(
            [
                chapter(0.0, 100.0, Some("Sand")),
                chapter(100.0, 200.0, Some("Chapter 2")),
            ],
            200.0,
        );
        let local = vec![
            topic("Sand", 0.0, 100.0, 1.0),
            topic("Grain, clay", 100.0, 200.0, 0.3),
        ];
        let by = [
            topic("What sand is", 2.0, 80.0, 0.4),
            topic("How clay forms", 80.0, 190.0, 0.9),
        ];
        let found = described(local.clone(), &by, &chapters);
        let expected = [
            topic("Sand", 0.0, 100.0, 0.4),
            topic("How clay forms", 100.0, 200.0, 0.9),
        ];
        assert_eq!(found, expected);
        let elsewhere = [topic("Later", 300.0, 400.0, 0.5)];
        assert_eq!(described(local.clone(), &elsewhere, &chapters), local);
    }
}

//! Builders for realistic rows. Equal calls build equal data.

use lectern_db::Database;
use lectern_domain::{
    AgentName, Clip, ClipMedia, ClipTopic, ContentSegmentId, ContentType, Decibels, FileSize, Job,
    JobId, JobStatus, JsonObject, Keyword, LayoutStretch, LayoutStretches, LayoutType, LogStatus,
    LongText, NewClip, NewContentSegment, NewJob, NewJobStatus, NewLayoutAnalysis, NewLogEntry,
    NewSilenceRegion, NewTranscriptSegment, NonNegativeInt, Percent, ProcessingConfig, Progress,
    ProgressMessage, ProgressReport, Ratio, Region, Seconds, SilenceType, SpeakerId, Stage,
    StorageKey, TimeRange, TimedWord, TimedWords, Title, Topic, WordText,
};
use serde_json::{Value, json};

const SENTENCES: [&str; 8] = [
    "Welcome back, everyone.",
    "Last week we left off at the second law.",
    "So what does it mean for a system to be closed?",
    "Write the equation on a line of its own, please.",
    "Entropie wächst, wie Boltzmann sagte, fast immer.",
    "Here 100% of the heat is lost; that is the worst case.",
    "Are there any questions so far?",
    "Let us look at the slide with the two pistons.",
];

const TOPICS: [&str; 5] = [
    "The second law",
    "Closed systems",
    "Entropy by counting",
    "Two pistons",
    "Questions from the room",
];

/// Starts to build a job.
///
/// ```no_run
/// # use lectern_db::Backend;
/// # use lectern_domain::JobStatus;
/// # use lectern_tests::{Fixture, TestDb, a_job};
/// # let db = TestDb::on(Backend::Sqlite);
/// let job = a_job().filename("talk.mp4").status(JobStatus::Running).create(&db);
/// ```
pub fn a_job() -> JobBuilder {
    JobBuilder {
        new: NewJob {
            file_size: Some(FileSize::new(2 << 30).unwrap()),
            original_s3_key: Some(StorageKey::new("uploads/lecture.mp4").unwrap()),
            ..NewJob::new("lecture.mp4").unwrap()
        },
        status: JobStatus::Queued,
    }
}

/// Builds a job; see [`a_job`].
#[derive(Debug, Clone)]
pub struct JobBuilder {
    new: NewJob,
    status: JobStatus,
}

impl JobBuilder {
    /// The default is `lecture.mp4`.
    pub fn filename(mut self, filename: &str) -> Self {
        self.new.filename = lectern_domain::Filename::new(filename).unwrap();
        self
    }

    /// In bytes; the default is 2 GiB.
    pub fn file_size(mut self, bytes: impl Into<Option<i64>>) -> Self {
        self.new.file_size = bytes.into().map(|bytes| FileSize::new(bytes).unwrap());
        self
    }

    /// The default is `video/mp4`.
    pub fn content_type(mut self, content_type: &str) -> Self {
        self.new.content_type = ContentType::new(content_type).unwrap();
        self
    }

    /// The default is none.
    pub fn processing_config(mut self, config: Value) -> Self {
        self.new.processing_config = Some(ProcessingConfig::try_from(config).unwrap());
        self
    }

    /// The default is 0.
    pub fn priority(mut self, priority: i32) -> Self {
        self.new.priority = priority;
        self
    }

    /// The default is an empty object.
    pub fn extra_metadata(mut self, extra: Value) -> Self {
        self.new.extra_metadata = JsonObject::try_from(extra).unwrap();
        self
    }

    /// The status after [`create`](Self::create), reached by regular
    /// transitions. The default is `queued`.
    pub fn status(mut self, status: JobStatus) -> Self {
        self.status = status;
        self.new.status = match status {
            JobStatus::Pending => NewJobStatus::Pending,
            _ => NewJobStatus::Queued,
        };
        self
    }

    /// The argument of `Jobs::create`.
    pub fn build(self) -> NewJob {
        self.new
    }

    /// Stores the job.
    pub fn create(self, db: &Database) -> Job {
        let transitions: &[JobStatus] = match self.status {
            JobStatus::Pending | JobStatus::Queued => &[],
            JobStatus::Running => &[JobStatus::Running],
            JobStatus::Completed => &[JobStatus::Running, JobStatus::Completed],
            JobStatus::Failed => &[JobStatus::Running, JobStatus::Failed],
            JobStatus::Cancelled => &[JobStatus::Cancelled],
        };
        let stored = db.write(|tx| {
            let mut job = tx.jobs().create(&self.new)?;
            for status in transitions {
                job = tx.jobs().transition(job.job_id, *status)?;
            }
            Ok::<_, lectern_db::Error>(job)
        });
        stored.unwrap()
    }
}

/// A report that `stage` is `percent` done.
pub fn a_report(stage: Stage, percent: f64) -> ProgressReport {
    ProgressReport {
        stage,
        progress: Progress {
            percent: Percent::new(percent).unwrap(),
            message: Some(ProgressMessage::new(format!("{stage}: {percent} %")).unwrap()),
            eta_seconds: Some(NonNegativeInt::new(600).unwrap()),
        },
        agent_name: Some(AgentName::new("worker-1").unwrap()),
    }
}

/// A segment that says `text` from `start` to `end`, in seconds.
pub fn a_segment(start: f64, end: f64, text: &str) -> NewTranscriptSegment {
    NewTranscriptSegment::new(text, TimeRange::new(start, end).unwrap()).unwrap()
}

/// A transcript of `n` segments, one every four seconds with a pause between
/// them; 1,500 segments last 100 minutes.
pub fn segments(n: usize) -> Vec<NewTranscriptSegment> {
    (0..n)
        .map(|i| {
            let start = i as f64 * 4.0;
            NewTranscriptSegment {
                confidence: Some(score(i)),
                speaker_id: (i % 9 != 0).then(|| SpeakerId::new("lecturer").unwrap()),
                ..a_segment(start, start + 3.6, SENTENCES[i % SENTENCES.len()])
            }
        })
        .collect()
}

/// Two words that begin at `start`, in seconds.
pub fn two_words(start: f64) -> TimedWords {
    let word = |start: f64, text: &str, probability: Option<f64>| TimedWord {
        time: TimeRange::new(start, start + 0.5).unwrap(),
        text: WordText::new(text).unwrap(),
        probability: probability.map(|value| Ratio::new(value).unwrap()),
    };
    let words = vec![
        word(start, "Gradient", Some(0.75)),
        word(start + 0.5, "descent", None),
    ];
    TimedWords::new(words).unwrap()
}

/// A silence region from `start` to `end`, in seconds.
pub fn a_silence(start: f64, end: f64, silence_type: SilenceType) -> NewSilenceRegion {
    NewSilenceRegion::new(silence_type, TimeRange::new(start, end).unwrap())
}

/// `n` silence regions, one per minute, of alternating types and growing
/// duration.
pub fn silence_regions(n: usize) -> Vec<NewSilenceRegion> {
    (0..n)
        .map(|i| {
            let start = i as f64 * 60.0;
            let silence_type = SilenceType::ALL[i % SilenceType::ALL.len()];
            NewSilenceRegion {
                amplitude_threshold: (silence_type != SilenceType::BlankScreen)
                    .then(|| Decibels::new(-42.5).unwrap()),
                ..a_silence(start, start + 0.5 + i as f64 / 8.0, silence_type)
            }
        })
        .collect()
}

/// Screen and camera side by side, and then the screen alone.
fn layout_stretches() -> LayoutStretches {
    let stretch = |start, end, layout_type| LayoutStretch {
        time: TimeRange::new(start, end).unwrap(),
        layout_type,
        screen_region: Some(Region::new(0, 0, 1280, 1080).unwrap()),
        camera_region: None,
        split_ratio: None,
        confidence_score: Ratio::new(0.75).unwrap(),
    };
    let side_by_side = LayoutStretch {
        camera_region: Some(Region::new(1280, 270, 640, 540).unwrap()),
        split_ratio: Some(Ratio::new(2.0 / 3.0).unwrap()),
        ..stretch(0.0, 61.5, LayoutType::SideBySide)
    };
    let screen = stretch(61.5, 90.0, LayoutType::ScreenOnly);
    LayoutStretches::new(vec![side_by_side, screen]).unwrap()
}

/// A layout with screen and camera side by side.
pub fn a_layout() -> NewLayoutAnalysis {
    NewLayoutAnalysis {
        layout_type: LayoutType::SideBySide,
        screen_region: Some(Region::new(0, 0, 1280, 1080).unwrap()),
        camera_region: Some(Region::new(1280, 270, 640, 540).unwrap()),
        split_ratio: Some(Ratio::new(2.0 / 3.0).unwrap()),
        confidence_score: Ratio::new(0.93).unwrap(),
        sample_frame_time: Some(Seconds::new(12.04).unwrap()),
        stretches: layout_stretches(),
    }
}

/// `n` content segments, one every five minutes.
pub fn content_segments(n: usize) -> Vec<NewContentSegment> {
    (0..n)
        .map(|i| {
            let start = i as f64 * 300.0;
            let topic = TOPICS[i % TOPICS.len()];
            NewContentSegment {
                time: TimeRange::new(start, start + 300.0).unwrap(),
                topic: Topic::new(topic).unwrap(),
                description: Some(LongText::new(format!("{topic}, in five minutes.")).unwrap()),
                importance_score: score(i),
                keywords: words(&["entropy", "second law"]),
                concepts: words(&["thermodynamics"]),
                segment_order: NonNegativeInt::position(i).unwrap(),
            }
        })
        .collect()
}

/// `n` clips of ninety seconds, one every five minutes.
pub fn clips(n: usize) -> Vec<NewClip> {
    (0..n)
        .map(|i| {
            let start = i as f64 * 300.0 + 7.25;
            let key = |kind: &str| Some(StorageKey::new(format!("clips/{i}.{kind}")).unwrap());
            NewClip {
                content_segment_id: None,
                title: Title::new(format!("{} ({})", TOPICS[i % TOPICS.len()], i + 1)).unwrap(),
                topic: Some(ClipTopic::new(TOPICS[i % TOPICS.len()]).unwrap()),
                importance_score: Some(score(i)),
                time: TimeRange::new(start, start + 90.0).unwrap(),
                media: ClipMedia {
                    s3_key: key("mp4"),
                    thumbnail_s3_key: key("jpg"),
                    subtitle_s3_key: key("vtt"),
                },
                clip_order: NonNegativeInt::position(i).unwrap(),
                extra_metadata: JsonObject::try_from(json!({ "take": i })).unwrap(),
            }
        })
        .collect()
}

/// A clip that refers to a content segment.
pub fn a_clip_of(segment: ContentSegmentId) -> NewClip {
    NewClip {
        content_segment_id: Some(segment),
        ..clips(1).remove(0)
    }
}

/// A log entry that says `status` of `stage`, with every field filled in.
pub fn a_log_entry(stage: Stage, status: LogStatus) -> NewLogEntry {
    NewLogEntry {
        agent_name: Some(AgentName::new("worker-1").unwrap()),
        message: Some(LongText::new(format!("{stage} {status}")).unwrap()),
        error_details: (status == LogStatus::Failed)
            .then(|| JsonObject::try_from(json!({ "exit_code": 137 })).unwrap()),
        duration_seconds: (status != LogStatus::Started).then(|| Seconds::new(61.5).unwrap()),
        ..NewLogEntry::new(stage, status)
    }
}

/// Stores a completed job with 12 transcript segments, 6 silence regions, a
/// layout, 3 content segments, 3 clips (the first refers to a content segment)
/// and a log entry for each stage.
pub fn a_completed_job(db: &Database) -> Job {
    let job = a_job().create(db);
    store_output(db, job.job_id);
    let completed = db.write(|tx| {
        tx.jobs()
            .report_progress(job.job_id, &a_report(Stage::Compilation, 99.0))?;
        tx.jobs().transition(job.job_id, JobStatus::Completed)
    });
    completed.unwrap()
}

/// Stores output of every stage for a job; returns its clips.
pub fn store_output(db: &Database, job: JobId) -> Vec<Clip> {
    let stored = db.write(|tx| {
        tx.transcripts().replace_for_job(job, &segments(12))?;
        tx.silence_regions()
            .replace_for_job(job, &silence_regions(6))?;
        tx.layout_analysis().put(job, &a_layout())?;
        let segments = tx
            .content_segments()
            .replace_for_job(job, &content_segments(3))?;
        let mut clips = clips(3);
        clips[0].content_segment_id = Some(segments[0].segment_id);
        let clips = tx.clips().replace_for_job(job, &clips)?;
        for stage in Stage::ALL {
            tx.processing_logs()
                .append(job, &a_log_entry(*stage, LogStatus::Completed))?;
        }
        Ok::<_, lectern_db::Error>(clips)
    });
    stored.unwrap()
}

/// A score that differs for each `i` and is never 0 or 1.
fn score(i: usize) -> Ratio {
    Ratio::new((i * 37 % 97 + 1) as f64 / 98.0).unwrap()
}

/// Keywords or concepts.
pub fn words(words: &[&str]) -> Vec<Keyword> {
    words
        .iter()
        .map(|word| Keyword::new(*word).unwrap())
        .collect()
}

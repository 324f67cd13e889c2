//! A database as SQLAlchemy models make it, without their constraints, so that a test can
//! store any row.

use lectern_tests::{Backend, EmptyDb, Fixture, Sql};

/// Valid on both databases. Text is also a type of column in which SQLite keeps every value.
const TABLES: &str = "
    CREATE TABLE jobs (
        id INTEGER, job_id VARCHAR(100), filename VARCHAR(400), file_size BIGINT,
        content_type VARCHAR(300), original_s3_key VARCHAR(600), status VARCHAR(20),
        error_message TEXT, celery_task_id VARCHAR(300), current_stage VARCHAR(50),
        progress_percent DOUBLE PRECISION, progress_message VARCHAR(600), eta_seconds INTEGER,
        extra_metadata JSON, processing_config JSON, created_at TIMESTAMP, updated_at TIMESTAMP,
        completed_at TIMESTAMP, owner VARCHAR(20));
    CREATE TABLE transcripts (
        id INTEGER, segment_id VARCHAR(100), job_id VARCHAR(100), start_time DOUBLE PRECISION,
        end_time DOUBLE PRECISION, text TEXT, confidence DOUBLE PRECISION,
        speaker_id VARCHAR(100), created_at TIMESTAMP);
    CREATE TABLE silence_regions (
        id INTEGER, region_id VARCHAR(100), job_id VARCHAR(100), start_time DOUBLE PRECISION,
        end_time DOUBLE PRECISION, duration DOUBLE PRECISION, silence_type VARCHAR(30),
        amplitude_threshold DOUBLE PRECISION, created_at TIMESTAMP);
    CREATE TABLE layout_analysis (
        id INTEGER, layout_id VARCHAR(100), job_id VARCHAR(100), layout_type VARCHAR(30),
        screen_region JSON, camera_region JSON, split_ratio DOUBLE PRECISION,
        confidence_score DOUBLE PRECISION, sample_frame_time DOUBLE PRECISION,
        created_at TIMESTAMP);
    CREATE TABLE content_segments (
        id INTEGER, segment_id VARCHAR(100), job_id VARCHAR(100), start_time DOUBLE PRECISION,
        end_time DOUBLE PRECISION, duration DOUBLE PRECISION, topic VARCHAR(400),
        description TEXT, importance_score DOUBLE PRECISION, keywords JSON, concepts JSON,
        segment_order INTEGER, created_at TIMESTAMP);
    CREATE TABLE clips (
        id INTEGER, clip_id VARCHAR(100), job_id VARCHAR(100), content_segment_id VARCHAR(100),
        title VARCHAR(400), topic VARCHAR(400), importance_score DOUBLE PRECISION,
        start_time DOUBLE PRECISION, end_time DOUBLE PRECISION, duration DOUBLE PRECISION,
        s3_key VARCHAR(600), clip_order INTEGER, extra_metadata JSON, created_at TIMESTAMP);
    CREATE TABLE processing_logs (
        id INTEGER, log_id VARCHAR(100), job_id VARCHAR(100), stage VARCHAR(50),
        agent_name VARCHAR(100), status VARCHAR(20), message TEXT, error_details JSON,
        duration_seconds DOUBLE PRECISION, timestamp TIMESTAMP, created_at TIMESTAMP);";

pub(super) struct SourceDb(EmptyDb);

impl SourceDb {
    pub(super) fn on(backend: Backend) -> Self {
        let db = EmptyDb::on(backend);
        db.sql().batch(TABLES).unwrap();
        Self(db)
    }

    pub(super) fn url(&self) -> &str {
        self.0.url()
    }

    pub(super) fn sql(&self) -> Sql {
        self.0.sql()
    }

    /// Inserts a row of SQL values.
    #[track_caller]
    pub(super) fn insert(&self, table: &str, row: &[(&str, &str)]) {
        let columns: Vec<_> = row.iter().map(|(column, _)| *column).collect();
        let values: Vec<_> = row.iter().map(|(_, value)| *value).collect();
        let insert = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            columns.join(", "),
            values.join(", ")
        );
        self.sql().execute(&insert).unwrap();
    }

    /// A completed job.
    #[track_caller]
    pub(super) fn job(&self, job_id: &str, changes: &[(&str, &str)]) {
        let id = format!("'{job_id}'");
        let row = [
            ("job_id", id.as_str()),
            ("filename", "'lecture.mp4'"),
            ("file_size", "1000"),
            ("content_type", "'video/mp4'"),
            ("original_s3_key", "'uploads/lecture.mp4'"),
            ("status", "'completed'"),
            ("created_at", "'2025-03-01 10:00:00.123456'"),
            ("updated_at", "'2025-03-01 11:00:00'"),
            ("completed_at", "'2025-03-01 10:59:00'"),
        ];
        self.insert("jobs", &with(&row, changes));
    }

    #[track_caller]
    pub(super) fn segment(&self, id: &str, job_id: &str, changes: &[(&str, &str)]) {
        let (id, job_id) = (format!("'{id}'"), format!("'{job_id}'"));
        let row = [
            ("segment_id", id.as_str()),
            ("job_id", job_id.as_str()),
            ("start_time", "0.1"),
            ("end_time", "2.5"),
            ("text", "'Welcome.'"),
        ];
        self.insert("transcripts", &with(&row, changes));
    }

    #[track_caller]
    pub(super) fn clip(&self, id: &str, job_id: &str, changes: &[(&str, &str)]) {
        let (id, job_id) = (format!("'{id}'"), format!("'{job_id}'"));
        let row = [
            ("clip_id", id.as_str()),
            ("job_id", job_id.as_str()),
            ("title", "'Graphs'"),
            ("importance_score", "0.5"),
            ("start_time", "1.0"),
            ("end_time", "3.0"),
            ("duration", "2.0"),
            ("clip_order", "0"),
        ];
        self.insert("clips", &with(&row, changes));
    }
}

/// The row with other values of some columns, and more columns.
fn with<'v>(row: &[(&'v str, &'v str)], changes: &[(&'v str, &'v str)]) -> Vec<(&'v str, &'v str)> {
    let is_kept = |(column, _): &&(&str, &str)| changes.iter().all(|(other, _)| other != column);
    row.iter().filter(is_kept).chain(changes).copied().collect()
}

//! The SQL statements, once for both backends.

/// The tables and statements of one backend. Its module defines the connection,
/// `Driver`, and the types `Id`, `Moment` and `Json`: as Rust types and, in
/// `columns`, as SQL types.
macro_rules! statements {
    ($transaction:ident, $insert_all:expr) => {
        use std::hint::black_box;

        use anyhow::Result;
        use diesel::connection::SimpleConnection;
        use diesel::prelude::*;
        use serde_json::json;
        use lectern_domain::{
            Clock, FileSize, Ratio, JobId, JobStatus, NewJob, NewTranscriptSegment, SystemClock,
            TranscriptSegmentId,
        };

        diesel::table! {
            use super::columns::*;

            jobs (id) {
                id -> Int8,
                job_id -> Id,
                filename -> Text,
                file_size -> Nullable<Int8>,
                content_type -> Text,
                original_s3_key -> Nullable<Text>,
                compiled_video_s3_key -> Nullable<Text>,
                video_duration -> Nullable<Float8>,
                video_metadata -> Json,
                status -> Text,
                error_message -> Nullable<Text>,
                celery_task_id -> Nullable<Text>,
                current_stage -> Nullable<Text>,
                progress_percent -> Float8,
                progress_message -> Nullable<Text>,
                eta_seconds -> Nullable<Int4>,
                processing_config -> Nullable<Json>,
                extra_metadata -> Json,
                version -> Int8,
                created_at -> Moment,
                updated_at -> Moment,
                completed_at -> Nullable<Moment>,
                priority -> Int4,
                last_seq -> Int8,
            }
        }

        diesel::table! {
            use super::columns::*;

            job_events (job_id, seq) {
                job_id -> Id,
                seq -> Int8,
                #[sql_name = "type"]
                type_ -> Text,
                data -> Json,
                at -> Moment,
            }
        }

        diesel::table! {
            use super::columns::*;

            transcripts (id) {
                id -> Int8,
                segment_id -> Id,
                job_id -> Id,
                start_time -> Float8,
                end_time -> Float8,
                text -> Text,
                confidence -> Nullable<Float8>,
                speaker_id -> Nullable<Text>,
                created_at -> Moment,
            }
        }

        #[derive(Queryable, Selectable)]
        #[diesel(table_name = jobs)]
        #[expect(dead_code, reason = "reading them from the driver is what is measured")]
        struct FoundJob {
            job_id: Id,
            filename: String,
            file_size: Option<i64>,
            content_type: String,
            original_s3_key: Option<String>,
            compiled_video_s3_key: Option<String>,
            video_duration: Option<f64>,
            video_metadata: Json,
            status: String,
            error_message: Option<String>,
            celery_task_id: Option<String>,
            current_stage: Option<String>,
            progress_percent: f64,
            progress_message: Option<String>,
            eta_seconds: Option<i32>,
            processing_config: Option<Json>,
            extra_metadata: Json,
            version: i64,
            created_at: Moment,
            updated_at: Moment,
            completed_at: Option<Moment>,
            priority: i32,
            last_seq: i64,
        }

        #[derive(Insertable)]
        #[diesel(table_name = jobs, treat_none_as_default_value = false)]
        pub(crate) struct JobRow {
            job_id: Id,
            filename: String,
            file_size: Option<i64>,
            content_type: String,
            original_s3_key: Option<String>,
            status: String,
            current_stage: Option<String>,
            processing_config: Option<Json>,
            extra_metadata: Json,
            priority: i32,
            last_seq: i64,
            created_at: Moment,
            updated_at: Moment,
        }

        #[derive(Insertable)]
        #[diesel(table_name = job_events, treat_none_as_default_value = false)]
        pub(crate) struct EventRow {
            job_id: Id,
            seq: i64,
            type_: String,
            data: Json,
            at: Moment,
        }

        #[derive(Insertable)]
        #[diesel(table_name = transcripts, treat_none_as_default_value = false)]
        pub(crate) struct SegmentRow {
            segment_id: Id,
            job_id: Id,
            start_time: f64,
            end_time: f64,
            text: String,
            confidence: Option<f64>,
            speaker_id: Option<String>,
            created_at: Moment,
        }

        pub(crate) struct Bare {
            conn: Driver,
            /// For statements that are not measured, so that they do not affect
            /// `conn`.
            aside: Driver,
        }

        impl super::Bare for Bare {
            type Id = Id;
            type JobRow = (JobRow, EventRow);
            type SegmentRow = SegmentRow;

            fn ids(&self, ids: &[JobId]) -> Vec<Id> {
                ids.iter().map(|job_id| job_id.as_uuid().into()).collect()
            }

            fn job_row(&self, job: &NewJob) -> (JobRow, EventRow) {
                let now = SystemClock.now();
                let job_id = JobId::new(&SystemClock).as_uuid();
                let status = JobStatus::from(job.status);
                let event = EventRow {
                    job_id: job_id.into(),
                    seq: 1,
                    type_: "progress".to_owned(),
                    data: json!({ "status": status, "progress": null, "error_message": null }).into(),
                    at: now.into(),
                };
                let job = JobRow {
                    job_id: job_id.into(),
                    filename: job.filename.to_string(),
                    file_size: job.file_size.map(FileSize::get),
                    content_type: job.content_type.to_string(),
                    original_s3_key: job.original_s3_key.as_ref().map(ToString::to_string),
                    status: status.to_string(),
                    current_stage: job.stage().map(|stage| stage.to_string()),
                    processing_config: job
                        .processing_config
                        .as_ref()
                        .map(|config| config.settings().clone().into_value().into()),
                    extra_metadata: job.extra_metadata.clone().into_value().into(),
                    priority: job.priority,
                    last_seq: 1,
                    created_at: now.into(),
                    updated_at: now.into(),
                };
                (job, event)
            }

            fn segment_rows(
                &self,
                job_id: JobId,
                segments: &[NewTranscriptSegment],
            ) -> Vec<SegmentRow> {
                let now = SystemClock.now();
                segments
                    .iter()
                    .map(|segment| SegmentRow {
                        segment_id: TranscriptSegmentId::new(&SystemClock).as_uuid().into(),
                        job_id: job_id.as_uuid().into(),
                        start_time: segment.time.start(),
                        end_time: segment.time.end(),
                        text: segment.text.to_string(),
                        confidence: segment.confidence.map(Ratio::get),
                        speaker_id: segment.speaker_id.as_ref().map(ToString::to_string),
                        created_at: now.into(),
                    })
                    .collect()
            }

            fn settle(&mut self) -> Result<()> {
                self.aside.batch_execute("VACUUM")?;
                Ok(self.aside.batch_execute("ANALYZE")?)
            }

            fn catch_up(&mut self) -> Result<()> {
                Ok(CATCH_UP
                    .iter()
                    .try_for_each(|sql| self.conn.batch_execute(sql))?)
            }

            fn find(&mut self, id: &Id) -> Result<()> {
                let found = jobs::table
                    .filter(jobs::job_id.eq(id))
                    .select(FoundJob::as_select())
                    .get_result(&mut self.conn)
                    .optional()?;
                black_box(found);
                Ok(())
            }

            fn list(&mut self) -> Result<()> {
                let found = jobs::table
                    .select(FoundJob::as_select())
                    .order((jobs::created_at.desc(), jobs::job_id.desc()))
                    .limit(51)
                    .load(&mut self.conn)?;
                black_box(found);
                Ok(())
            }

            fn create(&mut self, (job, event): &(JobRow, EventRow)) -> Result<()> {
                let created = self.conn.$transaction(|conn| {
                    let created = diesel::insert_into(jobs::table)
                        .values(job)
                        .returning(FoundJob::as_returning())
                        .get_result(conn)?;
                    diesel::insert_into(job_events::table)
                        .values(event)
                        .execute(conn)?;
                    Ok::<_, diesel::result::Error>(created)
                })?;
                black_box(created);
                Ok(())
            }

            fn store(&mut self, rows: Vec<SegmentRow>) -> Result<()> {
                Ok(self.conn.$transaction(|conn| $insert_all(conn, rows))?)
            }
        }
    };
}
pub(super) use statements;

//! The page of one recording.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use futures_util::future::join;
use lectern_api::{
    Clip, EventCursor, LogEntry, StageRunResponse, TranscriptFilter, TranscriptQuery,
};
use lectern_db::{Reader, TranscriptSelection};
use lectern_domain::{
    DownloadName, Job, JobId, LogEntryFilter, PageLimit, PageRequest, Scope, SilenceRegionFilter,
    StorageKey,
};
use lectern_storage::{ObjectInfo, ObjectKey};
use lectern_web::{
    ClipWithUrls, PageQuery, ReaderRights, Recording, TranscriptPart, recording_page,
};

use super::results::highlights_name;
use crate::database::caller_database::CallerDatabase;
use crate::http::auth::MaybeCaller;
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query;
use crate::http::page;
use crate::http::resource::Resource;
use crate::objects::handle::Objects;
use crate::objects::signed_urls::SignedUrls;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/jobs/{job_id}")
            .page()
            .only_html()
            .get(Scope::JobsRead, show),
    ]
}

/// Upper bound of the lines of the transcript on the page. The script loads the others.
const MAX_LINES: usize = 200;
/// Upper bound of the pages of segments that are searched for these lines.
const MAX_SEARCHED_PAGES: usize = 20;
/// Upper bound of the clips on the page.
const MAX_CLIPS: usize = 300;
/// Upper bound of the topics on the page.
const MAX_TOPICS: usize = 500;

async fn show(
    database: CallerDatabase,
    objects: Data<Objects>,
    caller: MaybeCaller,
    job_id: Result<JobIdPath, ApiError>,
    urls: Result<SignedUrls, ApiError>,
    request: HttpRequest,
) -> HttpResponse {
    let render = async {
        let (JobIdPath(job_id), urls) = (job_id?, urls?);
        let may_change = caller
            .get()
            .is_none_or(|caller| caller.key().data.role.has(Scope::JobsWrite));
        let page = Page {
            database,
            objects,
            urls,
            may_change,
        };
        page.render(&request, job_id).await
    };
    match render.await {
        Ok((page, media)) => page::respond_with_media(page, media.as_deref()),
        Err(error) => page::refuse(&request, &error),
    }
}

/// What a page is made with.
struct Page {
    database: CallerDatabase,
    objects: Data<Objects>,
    urls: SignedUrls,
    may_change: bool,
}

/// What a page shows, as it is stored.
struct Rows {
    job: Job,
    page: Recording,
}

impl Page {
    /// The page, and a URL of an object on it.
    async fn render(
        self,
        request: &HttpRequest,
        job_id: JobId,
    ) -> Result<(String, Option<String>), ApiError> {
        let language = page::language(request);
        let query = PageQuery::parse(request.query_string()).to_string();
        let filter = query::parse::<TranscriptQuery>(&query)?;
        let CallerDatabase(db) = &self.database;
        let reader = ReaderRights {
            has_owners: db.owner().is_none(),
            may_change: self.may_change,
            header: page::header(request, db.owner().is_none()),
        };
        let now = db.now();
        let read = move |conn: &mut Reader<'_>| {
            // First, so that no event is between this position and the rows.
            let events_after = EventCursor(conn.job_events().last_position()?);
            let job = conn.jobs().find(job_id)?;
            let job = job.ok_or_else(|| ApiError::no_job(job_id))?;
            let page = read_outputs(conn, &job, &filter, (reader, now, events_after))?;
            Ok(Rows { job, page })
        };
        let mut rows = db.read(read, |rows| rows).await?;
        let media = self.add_urls(&mut rows).await;
        let (waveform, cues) = (
            ObjectKey::waveform(job_id),
            ObjectKey::thumbnail_cues(job_id),
        );
        let (waveform, cues) = join(self.version_of(&waveform), self.version_of(&cues)).await;
        rows.page.waveform_version = waveform;
        rows.page.thumbnails_version = cues;
        let page = web::block(move || recording_page(language, &rows.page)).await;
        Ok((page.map_err(ApiError::internal)?, media))
    }

    /// What changes with an object, if it exists. The page does without it if the storage does
    /// not answer.
    async fn version_of(&self, key: &ObjectKey) -> Option<String> {
        let found = self.objects.head(key).await;
        let found = found.inspect_err(|error| log::warn!("cannot look for {key}: {error}"));
        let version = |object: ObjectInfo| {
            let etag = object.etag;
            etag.unwrap_or_else(|| object.last_modified.timestamp_millis().to_string())
        };
        found.ok().flatten().map(version)
    }

    /// Adds the URLs of objects; returns one of them.
    async fn add_urls(&self, Rows { job, page }: &mut Rows) -> Option<String> {
        let owner = job.owner_id.as_ref();
        let ttl = self.objects.limits.download_ttl;
        if let Some(key) = &job.original_s3_key {
            let name = DownloadName::of_file(&job.filename);
            let owner = (job.recording_owner(), owner);
            page.media_url = self.urls.download(owner, key, Some(&name), ttl).await;
        }
        if let Some(key) = &job.compiled_video_s3_key {
            let name = highlights_name(job, key);
            let owner = (job.job_id, owner);
            page.reel_url = self.urls.download(owner, key, Some(&name), ttl).await;
            page.has_outdated_reel = !page.has_more_clips && is_outdated(key, &page.clips);
        }
        for found in &mut page.clips {
            let clip = &found.clip;
            let url = async |key: Option<&StorageKey>| {
                let key = key?;
                let extension = key.rsplit_once('.').map_or("", |(_, extension)| extension);
                let name = DownloadName::new(&clip.title, extension);
                let owner = (job.job_id, owner);
                self.urls.download(owner, key, Some(&name), ttl).await
            };
            let video = url(clip.s3_key.as_ref()).await;
            found.thumbnail_url = url(clip.thumbnail_s3_key.as_ref()).await;
            found.url = video;
        }
        let of_clips = page.clips.iter().find_map(|found| found.url.clone());
        page.media_url.clone().or(of_clips)
    }
}

/// Whether a reel does not join the videos of these clips in their order. A reel of another
/// worker may have a name that does not say which clips it joins.
fn is_outdated(reel: &StorageKey, clips: &[ClipWithUrls]) -> bool {
    let reel = ObjectKey::try_from(reel.clone()).ok();
    let videos = clips.iter().filter_map(|found| found.clip.s3_key.as_ref());
    reel.and_then(|reel| reel.is_reel_of(videos)) == Some(false)
}

/// Reads what the stages have found, without URLs.
fn read_outputs(
    conn: &mut Reader<'_>,
    job: &Job,
    filter: &TranscriptFilter,
    (reader, now, events_after): (ReaderRights, DateTime<Utc>, EventCursor),
) -> Result<Recording, ApiError> {
    let job_id = job.job_id;
    let clips = conn.clips().page(job_id, None, None)?;
    let has_more_clips = clips.next.is_some() || clips.items.len() > MAX_CLIPS;
    let clips = clips.items.into_iter().take(MAX_CLIPS);
    let topics = conn.content_segments().page(job_id, None, None, None)?;
    let silences = conn
        .silence_regions()
        .page(job_id, &SilenceRegionFilter::default(), None)?;
    let log = conn.processing_logs().list(
        job_id,
        &LogEntryFilter::default(),
        PageRequest {
            limit: PageLimit::new(PageLimit::MAX)?,
            after: None,
        },
    )?;
    let runs = conn.stage_runs().for_job(job_id)?.into_iter();
    let stages = runs.map(|run| StageRunResponse::new(run, job.status));
    Ok(Recording {
        job: job.clone().into(),
        media_url: None,
        transcript: read_transcript(conn, job_id, filter)?,
        waveform_version: None,
        thumbnails_version: None,
        has_layout: conn.layout_analysis().find_for_job(job_id)?.is_some(),
        silence_regions: silences.items.into_iter().map(Into::into).collect(),
        topics: topics
            .items
            .into_iter()
            .take(MAX_TOPICS)
            .map(Into::into)
            .collect(),
        clips: clips
            .map(|clip| ClipWithUrls {
                clip: Clip::from(clip),
                url: None,
                thumbnail_url: None,
            })
            .collect(),
        reel_url: None,
        has_outdated_reel: false,
        has_more_clips,
        stages: stages.collect(),
        has_more_log: log.next.is_some(),
        log: log.items.into_iter().map(LogEntry::from).collect(),
        events_after,
        reader,
        now,
    })
}

/// Reads the first of the lines that match the filter.
fn read_transcript(
    conn: &mut Reader<'_>,
    job_id: JobId,
    filter: &TranscriptFilter,
) -> Result<TranscriptPart, ApiError> {
    let selection = TranscriptSelection {
        window: filter.window,
        text: filter.q.as_deref(),
        language: filter.language.as_ref(),
        with_words: false,
    };
    let mut part = TranscriptPart {
        total: conn.transcripts().count(job_id)?,
        search: filter.q.clone(),
        is_continued: filter.window.from().is_some_and(|start| start > 0.0),
        ..TranscriptPart::default()
    };
    let mut after = None;
    for _ in 0..MAX_SEARCHED_PAGES {
        let page = conn
            .transcripts()
            .page(job_id, &selection, after.as_ref())?;
        for segment in page.items {
            if part.segments.len() == MAX_LINES {
                part.next_start = Some(segment.time.start());
                return Ok(part);
            }
            part.segments.push(segment.into());
        }
        // A row of its own page needs more memory than a page of the list should take: the
        // script, which asks the API for it, shows it.
        after = page.next.filter(|next| next.large_row_bytes().is_none());
        if after.is_none() {
            break;
        }
    }
    Ok(part)
}

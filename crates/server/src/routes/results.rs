//! The results of a completed job.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Data};
use lectern_api::{ClipMetadata, ResultsResponse};
use lectern_db::{Reader, SetCursor, TranscriptSelection};
use lectern_domain::{
    Access, Clip, DownloadName, Job, JobId, JobResults, JobStatus, OwnerName, Scope, StorageKey,
    TranscriptSegment,
};

use super::set_pages::push_item;
use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::memory_budget::MemoryBudget;
use crate::http::resource::Resource;
use crate::http::response::shared::SharedRequest;
use crate::http::response::streamed_body::{Part, memory_for_row, with_retries};
use crate::http::response::{ApiResponse, ApiResult, JSON};
use crate::objects::handle::Objects;
use crate::objects::signed_urls::SignedUrls;

pub(super) fn resources() -> Vec<Resource> {
    // The signed URLs of the job's objects are here.
    let access = Access::ScopeOrWatchToken(Scope::JobsRead);
    vec![Resource::at("/api/v1/results/{job_id}").get(access, find)]
}

async fn find(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    objects: Data<Objects>,
    urls: SignedUrls,
    request: SharedRequest,
    JobIdPath(job_id): JobIdPath,
) -> ApiResult {
    let request = request.with_base_url(urls.base());
    let results = Results {
        db,
        memory,
        urls,
        url_ttl: objects.limits.download_ttl,
        job_id,
    };
    let first = async move { Ok(ApiResponse::parts(JSON, results.part(None).await?)) };
    request.respond(first).await
}

/// Reads the results of a job part by part.
#[derive(Clone)]
struct Results {
    db: Data<DatabaseHandle>,
    memory: Data<MemoryBudget>,
    urls: SignedUrls,
    url_ttl: Duration,
    job_id: JobId,
}

/// Where a part of the response begins.
#[derive(Debug, Clone)]
struct Position {
    list: List,
    after: SetCursor,
    /// The owner of the job.
    owner: Option<OwnerName>,
    /// The number of items of the list before this part.
    count: usize,
    /// The fields `metadata` and `notes`, serialized with the first part and sent with the
    /// last part.
    last_fields: Arc<[u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Clips,
    Transcript,
}

impl Results {
    async fn part(self, at: Option<Position>) -> Result<Part, ApiError> {
        let large = at.as_ref().and_then(|at| at.after.large_row_bytes());
        let permit = memory_for_row(&self.memory, large).await?;
        let (job_id, from) = (self.job_id, at.clone());
        let rows = self
            .db
            .read(
                move |conn| Rows::read(conn, job_id, from.as_ref()),
                |rows| rows,
            )
            .await?;
        let mut urls = HashMap::new();
        for (key, name) in rows.keys() {
            let of_job = rows.owner_of(key).unwrap_or(job_id);
            let owner = (of_job, rows.owner.as_ref());
            let url = self.urls.download(owner, key, Some(&name), self.url_ttl);
            if let Some(url) = url.await {
                urls.insert(key.clone(), url);
            }
        }
        let (json, next) = web::block(move || rows.into_json(job_id, at, &urls)).await??;
        let read_next =
            next.map(|next| with_retries(move || Box::pin(self.clone().part(Some(next.clone())))));
        Ok(Part::new(json, read_next).with_permit(permit))
    }
}

/// The rows of a part.
struct Rows {
    /// The job and its layout analysis; only in the first part.
    job: Option<JobResults>,
    /// The owner of the job.
    owner: Option<OwnerName>,
    clips: Vec<Clip>,
    /// `None` while more clips follow in the next part.
    transcript: Option<Vec<TranscriptSegment>>,
    next: Option<(List, SetCursor)>,
}

impl Rows {
    fn read(conn: &mut Reader<'_>, job_id: JobId, at: Option<&Position>) -> Result<Self, ApiError> {
        let job = match at {
            Some(_) => None,
            None => Some(completed_job(conn, job_id)?),
        };
        let owner = match (&job, at) {
            (Some(results), _) => results.job.owner_id.clone(),
            (None, at) => at.and_then(|at| at.owner.clone()),
        };
        let after = |list| at.filter(|at| at.list == list).map(|at| &at.after);
        let mut clips = Vec::new();
        if at.is_none_or(|at| at.list == List::Clips) {
            let page = conn.clips().page(job_id, None, after(List::Clips))?;
            clips = page.items;
            if let Some(next) = page.next {
                return Ok(Self {
                    job,
                    owner,
                    clips,
                    transcript: None,
                    next: Some((List::Clips, next)),
                });
            }
        }
        let all = TranscriptSelection::default();
        let page = conn
            .transcripts()
            .page(job_id, &all, after(List::Transcript))?;
        Ok(Self {
            job,
            owner,
            clips,
            transcript: Some(page.items),
            next: page.next.map(|next| (List::Transcript, next)),
        })
    }

    /// The storage keys of all objects that this part refers to, with the names under which
    /// the objects are saved.
    fn keys(&self) -> impl Iterator<Item = (&StorageKey, DownloadName)> {
        let job = self.job.iter().map(|results| &results.job);
        let of_job = job.flat_map(|job| {
            let original = job.original_s3_key.as_ref();
            let original = original.map(|key| (key, DownloadName::of_file(&job.filename)));
            let compiled = job.compiled_video_s3_key.as_ref();
            let compiled = compiled.map(|key| (key, highlights_name(job, key)));
            original.into_iter().chain(compiled)
        });
        let of_clips = self.clips.iter().flat_map(|clip| {
            let keys = clip.media.storage_keys();
            keys.map(|key| (key, DownloadName::new(&clip.title, extension(key))))
        });
        of_job.chain(of_clips)
    }

    /// The job that the recording belongs to, if it is the object with this key.
    fn owner_of(&self, key: &StorageKey) -> Option<JobId> {
        let job = &self.job.as_ref()?.job;
        (job.original_s3_key.as_ref() == Some(key)).then(|| job.recording_owner())
    }

    fn into_json(
        self,
        job_id: JobId,
        at: Option<Position>,
        urls: &HashMap<StorageKey, String>,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let url = |key: &StorageKey| urls.get(key).cloned();
        let mut json = Vec::new();
        let last_fields: Arc<[u8]> = match (self.job, &at) {
            (Some(results), _) => {
                json.extend(format!("{{\"job_id\":\"{job_id}\",\"clips\":[").into_bytes());
                last_fields(&ResultsResponse::with_urls(results, url))?.into()
            }
            (None, Some(at)) => Arc::clone(&at.last_fields),
            (None, None) => Arc::default(),
        };
        let list = at.as_ref().map_or(List::Clips, |at| at.list);
        let mut count = at.map_or(0, |at| at.count);
        for clip in self.clips {
            push_item(&mut json, count, &ClipMetadata::with_urls(clip, url))?;
            count += 1;
        }
        if let Some(segments) = self.transcript {
            if list == List::Clips {
                json.extend(b"],\"transcript\":[");
                count = 0;
            }
            for segment in segments {
                let segment = lectern_api::TranscriptSegment::from(segment);
                push_item(&mut json, count, &segment)?;
                count += 1;
            }
            if self.next.is_none() {
                json.extend(b"],");
                json.extend_from_slice(&last_fields);
                json.push(b'}');
            }
        }
        let next = self.next.map(|(list, after)| Position {
            list,
            after,
            owner: self.owner,
            count,
            last_fields,
        });
        Ok((json, next))
    }
}

/// The fields after the transcript.
fn last_fields(response: &ResultsResponse) -> Result<Vec<u8>, ApiError> {
    let mut json = b"\"metadata\":".to_vec();
    serde_json::to_writer(&mut json, &response.metadata).map_err(ApiError::internal)?;
    json.extend(b",\"notes\":");
    serde_json::to_writer(&mut json, &response.notes).map_err(ApiError::internal)?;
    Ok(json)
}

pub(super) fn extension(key: &str) -> &str {
    key.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The name under which the video of all clips is saved.
pub(super) fn highlights_name(job: &Job, key: &StorageKey) -> DownloadName {
    let recording = DownloadName::beside(&job.filename, "");
    DownloadName::new(
        &format!("{} highlights", recording.as_str()),
        extension(key),
    )
}

/// The results of a job, except its clips and its transcript. Fails unless the job is
/// completed.
fn completed_job(conn: &mut Reader<'_>, job_id: JobId) -> Result<JobResults, ApiError> {
    let job = conn.jobs().find(job_id)?;
    let job = job.ok_or_else(|| ApiError::no_job(job_id))?;
    if job.status != JobStatus::Completed {
        return Err(ApiError::not_completed(&job));
    }
    Ok(JobResults {
        job,
        clips: Vec::new(),
        transcript: Vec::new(),
        layout: conn.layout_analysis().find_for_job(job_id)?,
        notes: conn.stage_runs().notes(job_id)?,
    })
}

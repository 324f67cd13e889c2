//! All clips of a job in one file, for people who want to have them.

use std::io::{self, Write};
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use anyhow::Context as _;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use lectern_db::{Reader, SetCursor, SetPage};
use lectern_domain::{Clip, DownloadName, Job, JobId, OwnerName, Scope};
use lectern_storage::{Error as StorageError, ObjectKey};
use parking_lot::Mutex;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::results::extension;
use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::memory_budget::MemoryBudget;
use crate::http::request_id::RequestId;
use crate::http::resource::Resource;
use crate::http::response::streamed_body::memory_for_row;
use crate::objects::handle::Objects;

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/jobs/{job_id}/clips/archive").get(Scope::JobsRead, download)]
}

/// Larger files need the 64-bit fields of ZIP, which some old programs do not read.
const MAX_SHORT_SIZE: u64 = u32::MAX as u64 - 1;

async fn download(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
) -> Result<HttpResponse, ApiError> {
    let read = move |conn: &mut Reader<'_>| {
        let job = conn.jobs().find(job_id)?;
        let job = job.ok_or_else(|| ApiError::no_job(job_id))?;
        Ok::<_, ApiError>((job, conn.clips().page(job_id, None, None)?))
    };
    let (job, page) = db.read(read, |found| found).await?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("application/zip")
        // Videos do not become smaller.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header((CACHE_CONTROL, "private"))
        .insert_header((
            CONTENT_DISPOSITION,
            archive_name(&job).content_disposition(),
        ));
    if request.method() == Method::HEAD {
        return Ok(response.streaming(stream::empty::<Result<Bytes, ApiError>>()));
    }
    let buffer = Buffer::default();
    let archive = Archive {
        db,
        objects,
        memory,
        job_id: job.job_id,
        owner: job.owner_id,
        zip: Some(ZipWriter::new_stream(buffer.clone())),
        buffer,
        file: None,
        clips: Vec::new().into_iter(),
        count: 0,
        next_page: None,
    }
    .with_page(page);
    let request_id = RequestId::current();
    Ok(
        response.streaming(stream::try_unfold(archive, move |mut archive| {
            let request_id = request_id.clone();
            async move {
                let bytes = archive.next().await.inspect_err(|error| {
                    let request_id = request_id.as_ref().map(RequestId::as_str);
                    let job_id = archive.job_id;
                    log::warn!(request_id, job_id:%; "an archive of clips ended early: {error:#}");
                })?;
                Ok::<_, anyhow::Error>(bytes.map(|bytes| (bytes, archive)))
            }
        })),
    )
}

fn archive_name(job: &Job) -> DownloadName {
    let recording = DownloadName::beside(&job.filename, "");
    DownloadName::new(&format!("{} clips", recording.as_str()), "zip")
}

/// An archive that is made while it is sent: one chunk of one file is in memory.
struct Archive {
    db: Data<DatabaseHandle>,
    objects: Data<Objects>,
    memory: Data<MemoryBudget>,
    job_id: JobId,
    owner: Option<OwnerName>,
    /// `None` after the end of the archive was written.
    zip: Option<ZipWriter<StreamWriter<Buffer>>>,
    /// What the ZIP writer has written, and was not sent yet.
    buffer: Buffer,
    /// The rest of the current file.
    file: Option<BoxStream<'static, Result<Bytes, StorageError>>>,
    /// The clips that were read and whose files were not begun.
    clips: std::vec::IntoIter<Clip>,
    /// How many clips were begun.
    count: usize,
    next_page: Option<SetCursor>,
}

impl Archive {
    fn with_page(self, page: SetPage<Clip>) -> Self {
        Self {
            clips: page.items.into_iter(),
            next_page: page.next,
            ..self
        }
    }

    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        loop {
            let written = self.buffer.take();
            if !written.is_empty() {
                return Ok(Some(written));
            }
            let Some(zip) = &mut self.zip else {
                return Ok(None);
            };
            if let Some(file) = &mut self.file {
                match file.next().await {
                    Some(bytes) => zip.write_all(&bytes?)?,
                    None => self.file = None,
                }
            } else if let Some(clip) = self.clips.next() {
                self.begin(&clip).await?;
            } else if let Some(after) = self.next_page.take() {
                self.read_clips(after).await?;
            } else if let Some(zip) = self.zip.take() {
                zip.finish()?;
            }
        }
    }

    /// Begins the file of a clip. Leaves out clips that are not cut yet, and those whose file is
    /// missing or belongs to another owner.
    async fn begin(&mut self, clip: &Clip) -> anyhow::Result<()> {
        self.count += 1;
        let key = clip.media.s3_key.clone();
        let key = key.and_then(|key| ObjectKey::try_from(key).ok());
        let is_forbidden =
            |key: &ObjectKey| key.is_forbidden_to_owner(self.job_id, self.owner.as_ref());
        let Some(key) = key.filter(|key| !is_forbidden(key)) else {
            return Ok(());
        };
        let object = match self.objects.storage.get(&key, None).await {
            Err(StorageError::NotFound(_)) => return Ok(()),
            object => object?,
        };
        // The number keeps the order, and makes equal titles different names.
        let title = format!("{:02} {}", self.count, clip.title);
        let name = DownloadName::new(&title, extension(&key));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(object.info.size > MAX_SHORT_SIZE);
        let zip = self.zip.as_mut().context("the archive has ended")?;
        zip.start_file(name.as_str(), options)?;
        self.file = Some(object.stream);
        Ok(())
    }

    async fn read_clips(&mut self, after: SetCursor) -> anyhow::Result<()> {
        let job_id = self.job_id;
        let permit = memory_for_row(&self.memory, after.large_row_bytes()).await?;
        let read = move |conn: &mut Reader<'_>| {
            Ok::<_, ApiError>(conn.clips().page(job_id, None, Some(&after))?)
        };
        let page = self.db.read(read, |page| page).await?;
        drop(permit);
        self.clips = page.items.into_iter();
        self.next_page = page.next;
        Ok(())
    }
}

/// Bytes from the ZIP writer to the response.
#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock()).into()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

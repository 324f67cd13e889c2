//! The page for operators, and its buttons.
//!
//! It is for readers of jobs without an owner: it shows the work and the failures of all owners.
//! The state of the service is for those who may read its metrics, the buttons for those who may
//! pause stages.

use actix_web::http::Method;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use lectern_api::{
    JobListResponse, WorkHistoryQuery, WorkHistoryResponse, WorkStatsResponse, WorkersResponse,
};
use lectern_db::{Reader, Tx};
use lectern_domain::{
    HistoryPeriod, JobCursor, JobFilter, JobMetrics, JobOrder, JobPageRequest, JobStatus,
    JobSummary, Page, PageLimit, Scope, StageStats, WorkHistory, WorkerPage, WorkerPageRequest,
};
use lectern_web::{Operation, OperationHistory, PageQuery, ServiceState, operation_page};
use url::form_urlencoded;

use crate::database::caller_database::CallerDatabase;
use crate::http::auth::{MaybeCaller, RequestActor};
use crate::http::error::ApiError;
use crate::http::extract::path_ids::StagePath;
use crate::http::extract::query;
use crate::http::page;
use crate::http::resource::Resource;
use crate::objects::handle::Objects;
use crate::work_queue::waiting_claims::WaitingClaims;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/operation").page().get(Scope::JobsRead, show),
        Resource::at("/operation/{stage}/pause")
            .page()
            .on(Method::POST, Scope::WorkManage, pause),
        Resource::at("/operation/{stage}/resume").page().on(
            Method::POST,
            Scope::WorkManage,
            resume,
        ),
    ]
}

/// How many recordings that have failed are shown.
const MAX_FAILURES: i64 = 20;

/// What the page shows: the stages, the workers, the failures, and, if they are wanted, the state of
/// the service and the charts with their period in hours.
type Shown = (
    Vec<StageStats>,
    WorkerPage,
    Page<JobSummary, JobCursor>,
    Option<JobMetrics>,
    Option<(WorkHistory, u16)>,
);

/// The period of the charts; `None`: the page is refreshed without them.
fn period(request: &HttpRequest) -> Result<Option<HistoryPeriod>, ApiError> {
    let query = PageQuery::parse(request.query_string());
    if query.get("charts") == Some("no") {
        return Ok(None);
    }
    let Some(hours) = query.get("hours") else {
        return Ok(Some(HistoryPeriod::default()));
    };
    let mut text = form_urlencoded::Serializer::new(String::new());
    let text = text.append_pair("hours", hours).finish();
    query::parse::<WorkHistoryQuery>(&text).map(Some)
}

async fn show(
    CallerDatabase(db): CallerDatabase,
    caller: MaybeCaller,
    waiting_claims: Data<WaitingClaims>,
    objects: Data<Objects>,
    request: HttpRequest,
) -> HttpResponse {
    let page = async {
        caller.has_no_owner()?;
        let language = page::language(&request);
        let (period, header) = (period(&request)?, page::header(&request, true));
        let (now, may_pause) = (db.now(), caller.has(Scope::WorkManage));
        let sees_service = caller.has(Scope::Metrics);
        let disk = if sees_service {
            objects.disk_space().await
        } else {
            None
        };
        let (pool, database) = (db.stats(), db.backend_name());
        let waiting_claims = waiting_claims.count();
        let is_bucket = objects.storage.max_put_size().is_some();
        let failures = JobFilter {
            statuses: vec![JobStatus::Failed],
            updated_after: Some(now - TimeDelta::days(1)),
            ..JobFilter::default()
        };
        let newest = JobPageRequest {
            limit: PageLimit::new(MAX_FAILURES)?,
            order: JobOrder::UpdatedAt,
            ..JobPageRequest::default()
        };
        let workers = WorkerPageRequest {
            limit: PageLimit::new(PageLimit::MAX)?,
            after: None,
        };
        let read = move |conn: &mut Reader<'_>| {
            let metrics = if sees_service {
                Some(conn.jobs().metrics()?)
            } else {
                None
            };
            Ok((
                conn.stage_runs().stats()?,
                conn.stage_runs().active_workers(&workers)?,
                conn.jobs().list_summaries(&failures, newest, false)?,
                metrics,
                match period {
                    Some(period) => Some((conn.stage_runs().history(period)?, period.hours())),
                    None => None,
                },
            ))
        };
        let render = move |(stats, workers, failures, metrics, history): Shown| {
            let history =
                history.map(|(history, hours)| (WorkHistoryResponse::from(history), hours));
            let history = history.as_ref().map(|(history, hours)| OperationHistory {
                history,
                hours: *hours,
            });
            let service = metrics.map(|metrics| ServiceState {
                version: env!("CARGO_PKG_VERSION"),
                database: &database,
                connections_in_use: pool.in_use,
                connections_idle: pool.idle,
                connections_max: pool.max,
                waiting_claims,
                is_bucket,
                recording_bytes: metrics.bytes_stored,
                disk: disk.map(|space| (space.available, space.total)),
            });
            let operation = Operation {
                now,
                stats: &WorkStatsResponse::from(stats),
                history,
                workers: &WorkersResponse::from(workers),
                failures: &JobListResponse::new(failures, None),
                service: service.as_ref(),
                may_pause,
                header,
            };
            operation_page(language, &operation)
        };
        db.read(read, render).await
    };
    let page = page.await;
    page::respond(&request, page)
}

async fn pause(
    db: CallerDatabase,
    caller: MaybeCaller,
    actor: RequestActor,
    stage: Result<StagePath, ApiError>,
    request: HttpRequest,
) -> HttpResponse {
    let pause = change(db, &caller, actor, stage, |tx, stage| {
        Ok(tx.stage_pauses().pause(stage).map(drop)?)
    });
    back(&request, pause.await)
}

async fn resume(
    db: CallerDatabase,
    caller: MaybeCaller,
    actor: RequestActor,
    stage: Result<StagePath, ApiError>,
    request: HttpRequest,
) -> HttpResponse {
    let resume = change(db, &caller, actor, stage, |tx, stage| {
        Ok(tx.stage_pauses().resume(stage).map(drop)?)
    });
    back(&request, resume.await)
}

async fn change(
    CallerDatabase(db): CallerDatabase,
    caller: &MaybeCaller,
    RequestActor(actor): RequestActor,
    stage: Result<StagePath, ApiError>,
    change: fn(&mut Tx<'_>, lectern_domain::Stage) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    caller.has_no_owner()?;
    let StagePath(stage) = stage?;
    db.acting_as(actor)
        .write(move |tx| change(tx, stage), |()| ())
        .await
}

/// Leads back to the page, which then shows the change.
fn back(request: &HttpRequest, changed: Result<(), ApiError>) -> HttpResponse {
    match changed {
        Ok(()) => HttpResponse::SeeOther()
            .insert_header((LOCATION, "../../operation"))
            .finish(),
        Err(error) => page::refuse(request, &error),
    }
}

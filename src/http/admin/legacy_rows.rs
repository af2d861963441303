//! `POST /admin/v1/legacy-imports/{id}/rows`: a file of any length, line by line.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use http_body_util::BodyExt as _;
use utoipa::IntoParams;

use super::legacy_imports::import_id;
use crate::domain::ids::ImportId;
use crate::http::caller::Admin;
use crate::http::context::RequestInfo;
use crate::http::oauth_error::no_store;
use crate::http::path::Segment;
use crate::http::query::Query;
use crate::http::records::{Decoder, Line};
use crate::http::{Answer, AppState, problem};
use crate::service::error::{ApiFailure, FieldError};
use crate::service::legacy::{Summary, Upload};

/// How long the next piece of the body may take.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);

/// What an upload takes in its URL.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the upload reads")]
struct UploadQuery {
    /// Answer what would be imported, and import nothing
    #[param(default = false)]
    dry_run: Option<bool>,
    /// Which line of the file the body begins with; one more than `position` to go on
    #[param(minimum = 1, maximum = 1_099_511_627_776u64, default = 1)]
    from_line: Option<u64>,
}

/// A line of the example: the hash of `test`.
const ROW: &str =
    "{\"hash\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"user\":\"admin\"}\n";

/// Send rows of an import, however many
///
/// Written in batches while they arrive. What is there already is skipped; a line that can't be imported is told and does
/// not stop the others.
#[utoipa::path(post, path = "/admin/v1/legacy-imports/{import}/rows", params(("import" = ImportId, Path), UploadQuery),
    request_body(content(
        (String = "application/x-ndjson", example = json!(ROW)),
        (String = "text/csv"),
    )),
    responses(
        (status = 200, description = "All lines are dealt with", body = Summary),
        (status = 409, description = "The import takes no rows, or lines would be left out"),
    ))]
pub(crate) async fn upload(
    State(state): State<AppState>,
    Admin(caller): Admin,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let failed = problem::of;
    let query = Query::read(&parts.uri, &["dry_run", "from_line"]).map_err(failed(&parts))?;
    let dry_run = query.flag("dry_run").map_err(failed(&parts))?;
    let from_line = query.parsed::<u64>("from_line").map_err(failed(&parts))?.unwrap_or(1);
    if !(1..=MAX_LINE).contains(&from_line) {
        let error = FieldError::new("?from_line", "is the number of a line, the first of which is 1");
        return Err(failed(&parts)(ApiFailure::Invalid(vec![error])));
    }
    let id = import_id(&id).map_err(failed(&parts))?;
    let Some(decoder) = Decoder::of(&parts.headers, from_line) else {
        let detail = "the body is application/x-ndjson or text/csv, given once and not encoded";
        return Err(problem::respond(problem::UNSUPPORTED, parts.extensions.get(), detail, &[]));
    };
    let upload = state.service.begin_upload(&caller, id, from_line, dry_run).await.map_err(failed(&parts))?;
    read(&parts, body, decoder, upload).await
}

/// A file of more lines would take longer than its deadline lies ahead.
const MAX_LINE: u64 = 1 << 40;

async fn read(parts: &Parts, mut body: Body, mut decoder: Decoder, mut upload: Upload<'_>) -> Answer {
    loop {
        let frame = match tokio::time::timeout(PIECE_TIMEOUT, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(cut(parts, upload, problem::INVALID, "the body ended too early").await),
            Err(_) => return Err(cut(parts, upload, problem::TIMEOUT, "the body stopped arriving").await),
        };
        let Some(piece) = frame.data_ref() else { continue };
        match decoder.feed(piece) {
            Ok(lines) => upload = take(parts, upload, lines).await?,
            Err(header) => return Err(bad_header(parts, upload, header).await),
        }
    }
    match decoder.end() {
        Ok(lines) => upload = take(parts, upload, lines).await?,
        Err(header) => return Err(bad_header(parts, upload, header).await),
    }
    let summary = upload.finish().await.map_err(problem::of(parts))?;
    Ok(no_store(&summary))
}

async fn take<'c>(parts: &Parts, mut upload: Upload<'c>, lines: Vec<Line>) -> Result<Upload<'c>, Response> {
    for line in lines {
        if upload.take(line.first, line.last, line.row)
            && let Err(failure) = upload.write().await
        {
            upload.abandon().await;
            return Err(problem::of(parts)(failure));
        }
    }
    Ok(upload)
}

/// What arrived is written up to its last whole batch; the answer says where to go on.
async fn cut(parts: &Parts, upload: Upload<'_>, kind: problem::Kind, what: &str) -> Response {
    let summary = upload.abandon().await;
    let detail = format!("{what}; go on with from_line={}", summary.position + 1);
    problem::respond(kind, parts.extensions.get::<RequestInfo>(), detail, &[])
}

async fn bad_header(parts: &Parts, upload: Upload<'_>, error: String) -> Response {
    upload.abandon().await;
    problem::of(parts)(ApiFailure::Invalid(vec![FieldError::new("", error)]))
}

//! `GET /oauth20/revocations`: the revocations of a workspace as server-sent events, for those who keep what they have
//! learned about tokens.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::mpsc;

use super::{answering, asker};
use crate::domain::base62;
use crate::domain::grant::Revision;
use crate::domain::ids::WorkspaceId;
use crate::http::form::Form;
use crate::http::oauth_error::Answering;
use crate::http::query::Query;
use crate::http::{Answer, AppState};
use crate::service::error::{ApiFailure, OAuthCode, OAuthError};
use crate::service::follow::{FollowFailure, Following, Step};
use crate::store::log_read::OwnedEntry;
use crate::store::revision::LogKind;

/// Follow the revocations of a workspace
///
/// Server-sent events; `docs/streams.md` says what they promise. `revocation`: forget every token that has `key` among its
/// `revocation_keys`. `heartbeat`, each second: everything that had been answered as revoked `after_ms` after this request
/// came was told before it. `reset`: forget everything. `behind`: this node can't tell now. `id` is the revision to go on
/// from; with the last event of a revision only.
#[utoipa::path(get, path = "/oauth20/revocations", security(("bearer" = []), ("api_key" = [])),
    params(
        ("since" = Option<Revision>, Query, description = "Go on after this revision; without it, from now on"),
        ("follow" = Option<bool>, Query, description = "false: end after the first heartbeat", example = "false"),
        ("Last-Event-ID" = Option<Revision>, Header, description = "As since, and before it"),
    ),
    responses(
        (status = 200, description = "Events without end", body = String, content_type = "text/event-stream"),
        (status = 403, description = "The client or bearer may not introspect every token of its workspace"),
    ))]
pub(crate) async fn follow(State(state): State<AppState>, parts: Parts) -> Answer {
    let workspace = follower(&state, &parts).await?;
    let answering = answering(&state, &parts);
    let Asked { since, once } = asked(&parts).map_err(|error| answering.refusal(&error))?;
    let following =
        state.service.follow(workspace, since).await.map_err(|failure| unavailable(&answering, &failure))?;
    drop(answering);
    let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
    tokio::spawn(Stream { state, parts, workspace, following, sender }.run(once));
    let chunks = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would gather what is sent.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// Whose revocations the caller may follow.
async fn follower(state: &AppState, parts: &Parts) -> Result<WorkspaceId, Response> {
    let asker = asker::of(state, parts, &mut Form::default()).await?;
    asker.follows().ok_or_else(|| {
        let description = "the client may ask about its own tokens only: it is not registered to introspect";
        answering(state, parts).json(StatusCode::FORBIDDEN, OAuthCode::UnauthorizedClient.as_str(), description)
    })
}

/// What the request asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    since: Option<Revision>,
    once: bool,
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

fn asked(parts: &Parts) -> Result<Asked, OAuthError> {
    let query = Query::read(&parts.uri, &["since", "follow"]).map_err(|failure| named(&failure))?;
    let since = query.parsed::<String>("since").map_err(|failure| named(&failure))?;
    let since = since.map(|text| revision(&text, "since")).transpose()?;
    let follow = query.parsed::<bool>("follow").map_err(|failure| named(&failure))?;
    // Who reconnects by itself repeats the URL: the header is the newer one.
    let since = last_event_id(&parts.headers)?.or(since);
    Ok(Asked { since, once: follow == Some(false) })
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Revision>, OAuthError> {
    let mut values = headers.get_all(LAST_EVENT_ID).iter();
    let Some(value) = values.next().filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(OAuthError::new(OAuthCode::InvalidRequest, "Last-Event-ID is given more than once"));
    }
    revision(value.to_str().unwrap_or_default(), "Last-Event-ID").map(Some)
}

fn revision(text: &str, name: &str) -> Result<Revision, OAuthError> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok()).map(Revision::new);
    number.ok_or_else(|| {
        OAuthError::new(OAuthCode::InvalidRequest, format!("{name} is not a revision, which is a whole number"))
    })
}

/// The parameter that is wrong, in the words of an OAuth error.
fn named(failure: &ApiFailure) -> OAuthError {
    let ApiFailure::Invalid(errors) = failure else {
        return OAuthError::new(OAuthCode::InvalidRequest, "the query can't be read");
    };
    let words = errors.iter().map(|error| format!("{} {}", error.pointer.trim_start_matches('?'), error.detail));
    let plain = |c: char| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') { c } else { '?' };
    OAuthError::new(
        OAuthCode::InvalidRequest,
        words.collect::<Vec<_>>().join("; ").chars().map(plain).collect::<String>(),
    )
}

fn unavailable(answering: &Answering<'_>, failure: &FollowFailure) -> Response {
    match failure {
        FollowFailure::Store(error) => answering.store(error),
        FollowFailure::Full => {
            let description = "as many follow the revocations as this node serves; introspect, and try again later";
            let mut response = answering.json(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            response
        }
    }
}

type Chunk = Result<Bytes, Infallible>;

/// What one follower is sent.
struct Stream {
    state: AppState,
    /// By which the caller has proven who it is: that is looked at again with each heartbeat.
    parts: Parts,
    workspace: WorkspaceId,
    following: Following,
    sender: mpsc::Sender<Chunk>,
}

/// Chunks that wait for a follower, of about this many bytes each: all that it can make this process keep.
const WAITING_CHUNKS: usize = 2;
const CHUNK_BYTES: usize = 16 * 1024;
/// Who takes nothing for so long is cut off.
const PATIENCE: Duration = Duration::from_secs(10);

impl Stream {
    async fn run(mut self, once: bool) {
        loop {
            let step = tokio::select! {
                biased;
                () = self.sender.closed() => return,
                step = self.following.next() => step,
            };
            let (is_beat, is_good) =
                (matches!(step, Step::Heartbeat { .. } | Step::Behind), matches!(step, Step::Heartbeat { .. }));
            if is_beat && !self.may_go_on().await {
                return;
            }
            let text = match step {
                Step::End => return,
                Step::Entries(entries) => {
                    for chunk in chunks(&entries) {
                        if !self.send(chunk).await {
                            return self.following.cut_off();
                        }
                    }
                    continue;
                }
                Step::Reset(revision) => reset(revision),
                Step::Heartbeat { revision, after, history } => heartbeat(revision, after, &history),
                Step::Behind => "event: behind\ndata: {}\n\n".to_owned(),
            };
            if !self.send(text).await {
                return self.following.cut_off();
            }
            if once && is_good {
                return;
            }
        }
    }

    /// Whether the caller would be let in again. That nobody can tell is no refusal.
    async fn may_go_on(&self) -> bool {
        match follower(&self.state, &self.parts).await {
            Ok(workspace) => workspace == self.workspace,
            Err(refusal) => refusal.status().is_server_error(),
        }
    }

    /// Whether it was taken in time. A follower that has gone away has taken it.
    async fn send(&self, text: String) -> bool {
        tokio::time::timeout(PATIENCE, self.sender.send(Ok(text.into()))).await.is_ok()
    }
}

/// The text of all entries, cut where it gets long.
fn chunks(entries: &[OwnedEntry]) -> Vec<String> {
    let mut chunks = vec![String::new()];
    for (index, OwnedEntry { entry, workspace }) in entries.iter().enumerate() {
        let is_last = entries.get(index + 1).is_none_or(|next| next.entry.revision != entry.revision);
        let (kind, revision) = (entry.kind.filter(|_| workspace.is_some()).and_then(name), entry.revision);
        let text = match kind {
            Some(kind) => revocation(kind, revision, &entry.key, &entry.policy, is_last),
            // What this version does not know, or does not know whose it is, may concern every token.
            None => reset(revision),
        };
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK_BYTES => chunk.push_str(&text),
            _ => chunks.push(text),
        }
    }
    chunks
}

const fn name(kind: LogKind) -> Option<&'static str> {
    match kind {
        LogKind::Grant => Some("grant"),
        LogKind::CutOff => Some("cutoff"),
        LogKind::Changed => Some("changed"),
        LogKind::Catalog => Some("catalog"),
        LogKind::Probe => None,
    }
}

/// The id stands with the last event of a revision only: who is cut off between two of them gets all again.
fn revocation(kind: &str, revision: Revision, key: &[u8; 16], policy: &str, is_last: bool) -> String {
    let mut text = String::from("event: revocation\n");
    if is_last {
        text.push_str(&format!("id: {}\n", revision.value()));
    }
    let mut digits = String::with_capacity(22);
    base62::push_16(&mut digits, key);
    let mut data = serde_json::json!({ "revision": revision, "kind": kind, "key": digits });
    if !policy.is_empty() {
        data["policy"] = policy.into();
    }
    text.push_str(&format!("data: {data}\n\n"));
    text
}

/// Without the id: what belongs to the same revision may follow.
fn reset(revision: Revision) -> String {
    format!("event: reset\ndata: {}\n\n", serde_json::json!({ "revision": revision }))
}

fn heartbeat(revision: Revision, after: Duration, history: &str) -> String {
    let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    let data = serde_json::json!({ "revision": revision, "after_ms": after_ms, "history": history });
    format!("event: heartbeat\nid: {}\ndata: {data}\n\n", revision.value())
}

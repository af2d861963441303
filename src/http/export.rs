//! Whole lists as CSV or as lines of JSON, page by page, in bounded memory.
//!
//! The first page is read before the answer begins, so that a database that is down is a 503. A later failure breaks the
//! connection: a list that ends early must not look like a whole one.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use crate::service::error::ApiFailure;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A page of JSON.
    Page,
    /// The whole list.
    Whole(Whole),
}

/// The forms of a whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    Csv,
    Ndjson,
}

/// A row of a list: as JSON by its fields, as CSV by these columns.
pub(crate) trait Record: Serialize {
    const COLUMNS: &'static [&'static str];

    fn cells(&self) -> Vec<String>;
}

/// Rows that are read and written at a time.
pub(crate) const PAGE: u32 = 1_000;

impl Format {
    /// What the caller accepts; JSON where they do not say.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut essences =
            accepts.flat_map(|value| value.split(',')).map(|range| range.split(';').next().unwrap_or(""));
        let whole = essences.find_map(|essence| match essence.trim().to_ascii_lowercase().as_str() {
            "text/csv" => Some(Whole::Csv),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Whole::Ndjson),
            _ => None,
        });
        whole.map_or(Self::Page, Self::Whole)
    }
}

impl Whole {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// Writes rows; with the names of the columns where they are the first.
    pub(crate) fn write<R: Record>(self, rows: &[R], first: bool) -> Vec<u8> {
        match self {
            Self::Csv => csv(rows, first),
            Self::Ndjson => {
                let mut lines = Vec::new();
                for row in rows {
                    serde_json::to_writer(&mut lines, row).expect("a row is plain data");
                    lines.push(b'\n');
                }
                lines
            }
        }
    }
}

/// Answers with `first` and what `next` gives for each cursor, until there is none.
fn stream<C, F, N>(whole: Whole, name: &str, first: (Vec<u8>, Option<C>), next: N) -> Response
where
    C: Send + 'static,
    F: Future<Output = Result<(Vec<u8>, Option<C>), ApiFailure>> + Send + 'static,
    N: FnMut(C) -> F + Send + 'static,
{
    let (head, cursor) = first;
    let rest = stream::try_unfold((cursor, next), |(cursor, mut next)| async move {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let (chunk, cursor) = next(cursor).await?;
        Ok(Some((chunk, (cursor, next))))
    });
    let chunks = stream::once(async move { Ok(head) }).chain(rest);
    let chunks = chunks.map_ok(Bytes::from).inspect_err(|error: &ApiFailure| {
        tracing::warn!(error = ?error, "an export was broken off");
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(whole.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    let disposition = format!("attachment; filename=\"{name}.{}\"", whole.extension());
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// Answers with the whole list from `start` on. `page` reads and writes rows from a cursor on, and tells where the next ones begin.
///
/// # Errors
/// That of the first page.
pub(crate) async fn whole<C, F, P>(whole: Whole, name: &str, start: C, page: P) -> Result<Response, ApiFailure>
where
    C: Send + 'static,
    F: Future<Output = Result<(Vec<u8>, Option<C>), ApiFailure>> + Send + 'static,
    P: Fn(C, bool) -> F + Send + 'static,
{
    let first = page(start, true).await?;
    Ok(stream(whole, name, first, move |after| page(after, false)))
}

fn csv<R: Record>(rows: &[R], first: bool) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let header = first.then(|| R::COLUMNS.iter().map(|name| (*name).to_owned()).collect());
    for cells in header.into_iter().chain(rows.iter().map(Record::cells)) {
        let cells: Vec<String> = cells;
        writer.write_record(cells.into_iter().map(inert)).expect("a vector takes every write");
    }
    writer.into_inner().expect("a vector takes every write")
}

/// A cell that a spreadsheet would run as a formula is shown as text.
fn inert(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row(&'static str);

    impl Record for Row {
        const COLUMNS: &'static [&'static str] = &["name"];

        fn cells(&self) -> Vec<String> {
            vec![self.0.to_owned()]
        }
    }

    #[test]
    fn formulas_quotes_and_line_breaks_are_text() {
        let rows = [Row("=1+1"), Row("a \"b\", c"), Row("x\ny")];
        let text = String::from_utf8(Whole::Csv.write(&rows, true)).unwrap();
        assert_eq!(text, "name\r\n'=1+1\r\n\"a \"\"b\"\", c\"\r\n\"x\ny\"\r\n");
        let text = String::from_utf8(Whole::Ndjson.write(&rows[..1], true)).unwrap();
        assert_eq!(text, "\"=1+1\"\n");
    }

    #[test]
    fn the_form_is_what_the_caller_accepts() {
        let accepted = |value: &'static str| {
            Format::accepted(&[(header::ACCEPT, HeaderValue::from_static(value))].into_iter().collect())
        };
        assert_eq!(accepted("text/csv;q=0.9, */*"), Format::Whole(Whole::Csv));
        assert_eq!(accepted("application/x-ndjson"), Format::Whole(Whole::Ndjson));
        assert_eq!(accepted("application/json"), Format::Page);
        assert_eq!(accepted("*/*"), Format::Page);
    }
}

//! Rows of an upload, decoded as the body arrives: NDJSON or CSV. What is kept of it at any time is one line.

mod csv;
mod ndjson;

use axum::http::HeaderMap;

use self::csv::Csv;
use self::ndjson::Ndjson;
use super::media_type;
use crate::domain::legacy::Refusal;
use crate::service::legacy::GivenRow;

/// A row, or the reason why there is none.
pub(super) struct Line {
    /// Where it begins,
    pub first: u64,
    /// and where it ends: a field of CSV may hold line breaks.
    pub last: u64,
    pub row: Result<GivenRow, Refusal>,
}

/// A longer line is no row.
pub(super) const MAX_LINE_BYTES: usize = 16 * 1024;

/// What turns pieces of a body into lines.
pub(super) enum Decoder {
    Ndjson(Ndjson),
    Csv(Box<Csv>),
}

impl Decoder {
    /// The decoder of the body's media type; `None` for a type that holds no rows.
    pub(super) fn of(headers: &HeaderMap, first_line: u64) -> Option<Self> {
        if media_type::is(headers, "application/x-ndjson") {
            Some(Self::Ndjson(Ndjson::new(first_line)))
        } else if media_type::is(headers, "text/csv") {
            Some(Self::Csv(Box::new(Csv::new(first_line))))
        } else {
            None
        }
    }

    /// The lines that `piece` completes.
    ///
    /// # Errors
    /// Why nothing of the body can be read: its header names columns that rows do not have.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Line>, String> {
        match self {
            Self::Ndjson(ndjson) => Ok(ndjson.feed(piece)),
            Self::Csv(csv) => csv.feed(piece),
        }
    }

    /// The last line, where it does not end with a line break.
    ///
    /// # Errors
    /// As [`Decoder::feed`].
    pub(super) fn end(&mut self) -> Result<Vec<Line>, String> {
        match self {
            Self::Ndjson(ndjson) => Ok(ndjson.end()),
            Self::Csv(csv) => csv.end(),
        }
    }
}

/// How much of what a caller sent is repeated back.
const MAX_ECHO_CHARS: usize = 200;

fn malformed(message: &str) -> Refusal {
    let plain = message.split(" at line ").next().unwrap_or(message);
    Refusal::Malformed(plain.chars().take(MAX_ECHO_CHARS).collect())
}

//! CSV (RFC 4180) with a header; an empty field is an absent one.

use csv_core::{ReadRecordResult, Reader};

use super::{Line, MAX_LINE_BYTES, malformed};
use crate::domain::legacy::Refusal;
use crate::domain::moment::Moment;
use crate::service::legacy::{GivenRow, GivenScopes};

/// A decoder with the record that is not complete yet.
pub(in crate::http) struct Csv {
    reader: Reader,
    fields: Vec<u8>,
    ends: [usize; MAX_FIELDS],
    /// How much of both is filled.
    filled: (usize, usize),
    /// The record has become too long; what follows is thrown away up to its end.
    overlong: bool,
    /// The line that the record begins with; `None` between records.
    begun: Option<u64>,
    /// The line that the next byte stands in.
    line: u64,
    header: Option<Vec<Column>>,
}

/// More than rows have.
const MAX_FIELDS: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Token,
    Hash,
    Hint,
    User,
    Client,
    Name,
    Scopes,
    CreatedAt,
    LastUsedAt,
    ExpiresAt,
}

const COLUMNS: [(&str, Column); 10] = [
    ("token", Column::Token),
    ("hash", Column::Hash),
    ("hint", Column::Hint),
    ("user", Column::User),
    ("client", Column::Client),
    ("name", Column::Name),
    ("scopes", Column::Scopes),
    ("created_at", Column::CreatedAt),
    ("last_used_at", Column::LastUsedAt),
    ("expires_at", Column::ExpiresAt),
];

impl Csv {
    pub(super) fn new(first_line: u64) -> Self {
        Self {
            reader: Reader::new(),
            fields: vec![0; MAX_LINE_BYTES],
            ends: [0; MAX_FIELDS],
            filled: (0, 0),
            overlong: false,
            begun: None,
            line: first_line,
            header: None,
        }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Line>, String> {
        let (mut lines, mut rest) = (Vec::new(), piece);
        while !rest.is_empty() {
            if self.begun.is_none() {
                // The line break behind a record, and blank lines.
                let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                self.count_lines(&rest[..blank]);
                rest = &rest[blank..];
                if rest.is_empty() {
                    break;
                }
                self.begun = Some(self.line);
            }
            let (read, line) = self.step(rest)?;
            rest = &rest[read..];
            lines.extend(line);
        }
        Ok(lines)
    }

    pub(super) fn end(&mut self) -> Result<Vec<Line>, String> {
        let mut lines = Vec::new();
        while self.begun.is_some() {
            let (_, line) = self.step(b"")?;
            lines.extend(line);
        }
        if self.header.is_none() {
            return Err("the body has no header: its first line names the columns".to_owned());
        }
        Ok(lines)
    }

    fn count_lines(&mut self, bytes: &[u8]) {
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    }

    /// One step of the parser: how much it has read, and the record, if that is complete.
    fn step(&mut self, input: &[u8]) -> Result<(usize, Option<Line>), String> {
        let (bytes, ends) = self.filled;
        let (result, read, wrote, ended) =
            self.reader.read_record(input, &mut self.fields[bytes..], &mut self.ends[ends..]);
        self.count_lines(&input[..read]);
        self.filled = (bytes + wrote, ends + ended);
        match result {
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                self.overlong = true;
                self.filled = (0, 0);
            }
            ReadRecordResult::Record => {
                let broken = input[..read].ends_with(b"\n");
                return Ok((read, self.complete(self.line - u64::from(broken))?));
            }
            ReadRecordResult::End => self.begun = None,
        }
        Ok((read, None))
    }

    fn complete(&mut self, last: u64) -> Result<Option<Line>, String> {
        let first = self.begun.take().unwrap_or(last);
        let count = std::mem::take(&mut self.filled).1;
        let fields: Option<Vec<&str>> = if std::mem::take(&mut self.overlong) {
            None
        } else {
            let starts = std::iter::once(0).chain(self.ends[..count].iter().copied());
            let fields = starts.zip(&self.ends[..count]).map(|(start, end)| &self.fields[start..*end]);
            Some(fields.map(|field| std::str::from_utf8(field).unwrap_or("\u{0}")).collect())
        };
        let Some(header) = &self.header else {
            self.header = Some(read_header(fields.as_deref().unwrap_or_default())?);
            return Ok(None);
        };
        let row = match fields {
            None => Err(Refusal::TooLong(MAX_LINE_BYTES)),
            Some(fields) => read_row(header, &fields),
        };
        Ok(Some(Line { first, last, row }))
    }
}

fn read_header(names: &[&str]) -> Result<Vec<Column>, String> {
    let mut header = Vec::with_capacity(names.len());
    for name in names {
        let name = name.trim_start_matches('\u{feff}').trim();
        let known = COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
        match known {
            Some(column) if !header.contains(&column) => header.push(column),
            _ => {
                let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
                return Err(format!(
                    "the header names each of these columns once at most, and no other: {}",
                    names.join(", ")
                ));
            }
        }
    }
    Ok(header)
}

fn read_row(header: &[Column], fields: &[&str]) -> Result<GivenRow, Refusal> {
    if fields.len() != header.len() {
        return Err(malformed(&format!("the header has {} columns and this line {}", header.len(), fields.len())));
    }
    if fields.contains(&"\u{0}") {
        return Err(malformed("a field is not valid UTF-8"));
    }
    let mut row = GivenRow::default();
    for (column, field) in header.iter().zip(fields).filter(|(_, field)| !field.is_empty()) {
        let text = || Some((*field).to_owned());
        let moment = || field.parse::<Moment>().map(Some).map_err(|error| malformed(&error.to_string()));
        match column {
            Column::Token => row.token = text(),
            Column::Hash => row.hash = text(),
            Column::Hint => row.hint = text(),
            Column::User => row.user = text(),
            Column::Client => row.client = text(),
            Column::Name => row.name = text(),
            Column::Scopes => row.scopes = text().map(GivenScopes::Text),
            Column::CreatedAt => row.created_at = moment()?,
            Column::LastUsedAt => row.last_used_at = moment()?,
            Column::ExpiresAt => row.expires_at = moment()?,
        }
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(pieces: &[&[u8]], first_line: u64) -> Result<Vec<Line>, String> {
        let mut decoder = Csv::new(first_line);
        let mut lines = Vec::new();
        for piece in pieces {
            lines.extend(decoder.feed(piece)?);
        }
        lines.extend(decoder.end()?);
        Ok(lines)
    }

    fn names(lines: &[Line]) -> Vec<(u64, Option<String>)> {
        lines.iter().map(|line| (line.first, line.row.as_ref().ok().and_then(|row| row.name.clone()))).collect()
    }

    #[test]
    fn quotes_line_breaks_and_blank_lines_keep_the_numbers_right() {
        let text = "\u{feff}token,name\r\nt1,\"a, \"\"b\"\"\"\r\n\r\nt2,\"two\nlines\"\nt3\nt4,x";
        let lines = decode(&[text.as_bytes()], 1).unwrap();
        let expected = [
            (2, Some("a, \"b\"".to_owned())),
            (4, Some("two\nlines".to_owned())),
            (6, None),
            (7, Some("x".to_owned())),
        ];
        assert_eq!(names(&lines), expected);
        assert_eq!(lines.iter().map(|line| line.last).collect::<Vec<_>>(), [2, 5, 6, 7]);
    }

    #[test]
    fn an_unknown_or_repeated_column_and_a_missing_header_refuse_the_body() {
        for bad in ["token,tocken\n", "token,token\n", "", "\n\n"] {
            assert!(decode(&[bad.as_bytes()], 1).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_record_beyond_the_limits_is_refused_and_the_next_one_is_read() {
        let long = format!("token,name\n{},x\n{}\nt3,y\n", "a".repeat(40_000), ",".repeat(40));
        let lines = decode(&[long.as_bytes()], 1).unwrap();
        assert_eq!(names(&lines), [(2, None), (3, None), (4, Some("y".to_owned()))]);
        assert_eq!(lines[0].row.as_ref().unwrap_err().code(), "too_long");
    }

    #[test]
    fn what_is_not_utf_8_is_refused_alone() {
        let lines = decode(&[b"token,name\nt1,\xff\nt2,y\n"], 1).unwrap();
        assert_eq!(names(&lines), [(2, None), (3, Some("y".to_owned()))]);
    }

    proptest! {
        #[test]
        fn where_the_body_is_cut_does_not_matter(text in "([a-z]{1,3},(\"[a-z\n]{0,3}\"|[a-z]{0,3})\r?\n?){0,6}", cut in 0usize..80) {
            let text = format!("token,name\n{text}");
            let whole = decode(&[text.as_bytes()], 1).unwrap();
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            let pieces = decode(&[head, tail], 1).unwrap();
            prop_assert_eq!(names(&pieces), names(&whole));
        }

        #[test]
        fn no_body_panics(body: Vec<u8>) {
            let _read = decode(&[b"token,name\n", &body], 1);
        }
    }
}

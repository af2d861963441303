//! One JSON object per line; blank lines are none.

use super::{Line, MAX_LINE_BYTES, malformed};
use crate::domain::legacy::Refusal;
use crate::service::legacy::GivenRow;

/// A decoder with the line that is not complete yet.
pub(in crate::http) struct Ndjson {
    partial: Vec<u8>,
    /// The line has become too long; what follows is thrown away up to its end.
    overlong: bool,
    next_line: u64,
}

impl Ndjson {
    pub(super) const fn new(first_line: u64) -> Self {
        Self { partial: Vec::new(), overlong: false, next_line: first_line }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end]);
            lines.extend(self.complete());
            rest = &rest[end + 1..];
        }
        self.keep(rest);
        lines
    }

    pub(super) fn end(&mut self) -> Vec<Line> {
        if self.partial.is_empty() && !self.overlong { Vec::new() } else { self.complete().into_iter().collect() }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.overlong || self.partial.len() + bytes.len() > MAX_LINE_BYTES {
            self.overlong = true;
            self.partial.clear();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn complete(&mut self) -> Option<Line> {
        let line = self.next_line;
        self.next_line += 1;
        if std::mem::take(&mut self.overlong) {
            return Some(Line { first: line, last: line, row: Err(Refusal::TooLong(MAX_LINE_BYTES)) });
        }
        let text = self.partial.trim_ascii();
        let row = (!text.is_empty()).then(|| Line { first: line, last: line, row: read(text) });
        self.partial.clear();
        row
    }
}

fn read(text: &[u8]) -> Result<GivenRow, Refusal> {
    // A struct could be read from an array too, by position.
    if !text.starts_with(b"{") {
        return Err(malformed("a JSON object is expected"));
    }
    serde_json::from_slice(text).map_err(|error| malformed(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(lines: Vec<Line>) -> Vec<(u64, Option<String>)> {
        lines.into_iter().map(|line| (line.first, line.row.ok().and_then(|row| row.token))).collect()
    }

    #[test]
    fn lines_are_numbered_and_bad_ones_do_not_stop_the_others() {
        let mut decoder = Ndjson::new(5);
        let mut lines = decoder.feed(b"{\"token\":\"a\"}\r\n\n[1]\n{\"tok\":1}\n{\"token\":\"b\"");
        lines.extend(decoder.feed(b"}"));
        lines.extend(decoder.end());
        assert_eq!(tokens(lines), [(5, Some("a".to_owned())), (7, None), (8, None), (9, Some("b".to_owned()))]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused_and_takes_no_memory() {
        let mut decoder = Ndjson::new(1);
        for _ in 0..100 {
            assert!(decoder.feed(&[b'x'; 1000]).is_empty());
            assert!(decoder.partial.len() <= MAX_LINE_BYTES);
        }
        let lines = decoder.feed(b"\n{\"token\":\"a\"}\n");
        assert_eq!(lines[0].row.as_ref().unwrap_err(), &Refusal::TooLong(MAX_LINE_BYTES));
        assert_eq!(tokens(lines)[1], (2, Some("a".to_owned())));
    }

    proptest! {
        #[test]
        fn where_the_body_is_cut_does_not_matter(text in "(\\{\"token\":\"[a-z]{1,5}\"\\}|x|)(\n(\\{\"token\":\"[a-z]{1,5}\"\\}|x|)){0,6}", cut in 0usize..100) {
            let mut whole = Ndjson::new(1);
            let mut expected = whole.feed(text.as_bytes());
            expected.extend(whole.end());
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            let mut pieces = Ndjson::new(1);
            let mut lines = pieces.feed(head);
            lines.extend(pieces.feed(tail));
            lines.extend(pieces.end());
            prop_assert_eq!(tokens(lines), tokens(expected));
        }

        #[test]
        fn no_body_panics(body: Vec<u8>) {
            let mut decoder = Ndjson::new(1);
            decoder.feed(&body);
            decoder.end();
        }
    }
}

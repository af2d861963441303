//! Owns the reading of the stream: server-sent events as Jeton sends them (`GET /oauth20/revocations`).

use serde::Deserialize;

/// What the stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Tokens with this key are to be forgotten.
    Revocation { revision: u64, key: String },
    /// Everything that had returned so many milliseconds after the request was told before.
    Heartbeat { revision: u64, after_ms: u64, history: String },
    /// Everything is to be forgotten.
    Reset { revision: u64 },
    /// The server can't vouch for anything now.
    Behind,
}

/// An event, and the position that it moves the reader to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub event: Event,
    pub id: Option<u64>,
}

/// The stream is not one that this version understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Puts the pieces of a stream together.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    name: String,
    id: Option<u64>,
    data: String,
}

/// Far longer than any line or event of a Jeton server.
const MAX_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
struct Revocation {
    revision: u64,
    key: String,
}

#[derive(Deserialize)]
struct Heartbeat {
    revision: u64,
    after_ms: u64,
    history: String,
}

#[derive(Deserialize)]
struct Reset {
    revision: u64,
}

impl Reader {
    /// Takes in the next piece; what it completes is added to `events`.
    ///
    /// # Errors
    ///
    /// What follows can't be read either: the stream is to be left.
    pub(super) fn read(&mut self, piece: &[u8], events: &mut Vec<Sent>) -> Result<(), Unreadable> {
        for byte in piece {
            match byte {
                b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    let line = line.strip_suffix(b"\r").unwrap_or(&line);
                    self.end_line(str::from_utf8(line).map_err(unreadable)?, events)?;
                }
                _ if self.line.len() == MAX_BYTES => return Err(Unreadable),
                _ => self.line.push(*byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self, line: &str, events: &mut Vec<Sent>) -> Result<(), Unreadable> {
        if line.is_empty() {
            return self.end_event(events);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" => self.id = Some(value.parse().map_err(unreadable)?),
            "data" if self.data.len() + value.len() > MAX_BYTES => return Err(Unreadable),
            "data" => self.data.push_str(value),
            // A comment, or a field that is not for us.
            _ => {}
        }
        Ok(())
    }

    fn end_event(&mut self, events: &mut Vec<Sent>) -> Result<(), Unreadable> {
        let (name, data, id) =
            (std::mem::take(&mut self.name), std::mem::take(&mut self.data), std::mem::take(&mut self.id));
        let event = match name.as_str() {
            "revocation" => {
                let Revocation { revision, key } = serde_json::from_str(&data).map_err(unreadable)?;
                Event::Revocation { revision, key }
            }
            "heartbeat" => {
                let Heartbeat { revision, after_ms, history } = serde_json::from_str(&data).map_err(unreadable)?;
                Event::Heartbeat { revision, after_ms, history }
            }
            "reset" => {
                let Reset { revision } = serde_json::from_str(&data).map_err(unreadable)?;
                Event::Reset { revision }
            }
            "behind" => Event::Behind,
            "" if data.is_empty() && id.is_none() => return Ok(()),
            // A newer server says what this version does not know: it might be a revocation.
            _ => return Err(Unreadable),
        };
        events.push(Sent { event, id });
        Ok(())
    }
}

fn unreadable<E: std::error::Error>(_: E) -> Unreadable {
    Unreadable
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        ": a comment\n\nevent: revocation\nid: 7\ndata: {\"revision\":7,\"kind\":\"grant\",\"key\":\"a\"}\n\n",
        "event: revocation\r\ndata:{\"revision\":8,\"kind\":\"cutoff\",\"key\":\"b\",\"policy\":\"access\"}\r\n\r\n",
        "event: reset\ndata: {\"revision\":8}\n\nevent: behind\ndata: {}\n\n",
        "event: heartbeat\nid: 9\ndata: {\"revision\":9,\"after_ms\":1003,\"history\":\"00000001\"}\n\n",
    );

    fn expected() -> Vec<Sent> {
        let revocation = |revision, key: &str| Event::Revocation { revision, key: key.to_owned() };
        vec![
            Sent { event: revocation(7, "a"), id: Some(7) },
            Sent { event: revocation(8, "b"), id: None },
            Sent { event: Event::Reset { revision: 8 }, id: None },
            Sent { event: Event::Behind, id: None },
            Sent {
                event: Event::Heartbeat { revision: 9, after_ms: 1003, history: "00000001".to_owned() },
                id: Some(9),
            },
        ]
    }

    #[test]
    fn a_stream_is_read_however_it_is_cut() {
        for size in [1, 2, 7, STREAM.len()] {
            let (mut reader, mut events) = (Reader::default(), Vec::new());
            for piece in STREAM.as_bytes().chunks(size) {
                reader.read(piece, &mut events).unwrap();
            }
            assert_eq!(events, expected(), "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_understood_ends_the_stream() {
        let long = format!("data: {}", "x".repeat(MAX_BYTES));
        let many = "data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(MAX_BYTES / 30);
        for bad in [
            "event: quota\n\n",
            "event: heartbeat\n\n",
            "id: x\n",
            "data: {}\n\n",
            "event: reset\ndata: {}\n\n",
            &long,
            &many,
        ] {
            assert_eq!(Reader::default().read(bad.as_bytes(), &mut Vec::new()), Err(Unreadable), "{bad:.40}");
        }
        assert_eq!(Reader::default().read(b"data: \xff\n", &mut Vec::new()), Err(Unreadable));
    }
}

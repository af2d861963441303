//! A reader of server-sent events that keeps them apart.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

/// One event, as it was sent.
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: Value,
}

pub struct Events {
    response: reqwest::Response,
    text: String,
    waiting: VecDeque<Event>,
}

/// Far longer than any event takes: only a stream that hangs meets it.
const PATIENCE: Duration = Duration::from_secs(30);

impl Events {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200, "no stream");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, text: String::new(), waiting: VecDeque::new() }
    }

    /// The next event; `None` where the stream ends.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("the stream goes on or ends");
            self.text.push_str(std::str::from_utf8(&chunk.expect("a whole stream")?).expect("UTF-8"));
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                self.waiting.push_back(read(event));
                self.text = rest.to_owned();
            }
        }
    }

    /// The next event that has this name; those before it are dropped.
    pub async fn next_named(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the stream has ended without {name}"));
            if event.name == name {
                return event;
            }
        }
    }

    pub async fn ended(&mut self) {
        while self.next().await.is_some() {}
    }
}

fn read(text: &str) -> Event {
    let mut event = Event::default();
    for line in text.lines() {
        match line.split_once(": ").unwrap_or_else(|| panic!("{line}")) {
            ("event", name) => name.clone_into(&mut event.name),
            ("id", id) => event.id = Some(id.to_owned()),
            ("data", data) => event.data = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}")),
            _ => panic!("{line}"),
        }
    }
    event
}

//! What an edit changes, for the audit: old and new values, never secrets.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// `{"from": …, "to": …}` of each field that an edit changes.
#[derive(Debug, Default)]
pub(super) struct Changes(Map<String, Value>);

impl Changes {
    pub(super) fn note<T: Serialize + PartialEq>(&mut self, name: &str, from: &T, to: &T) {
        if from != to {
            self.0.insert(name.to_owned(), json!({ "from": from, "to": to }));
        }
    }

    /// A field whose value is nobody's business.
    pub(super) fn note_secret(&mut self, name: &str, what: &str) {
        self.0.insert(name.to_owned(), json!(what));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_detail(self) -> Value {
        json!({ "changed": self.0 })
    }
}

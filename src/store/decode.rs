//! Column values back into the types of the domain. What can't be read was not written by us.

use serde::de::DeserializeOwned;

use super::StoreError;
use crate::domain::clock::Timestamp;
use crate::domain::secret::Digest;

pub(super) fn id_bytes(column: &[u8]) -> Result<[u8; 16], StoreError> {
    column.try_into().ok().ok_or(StoreError::Corrupt("id"))
}

pub(super) fn bytes_32(column: &[u8]) -> Result<[u8; 32], StoreError> {
    column.try_into().ok().ok_or(StoreError::Corrupt("digest or nonce"))
}

pub(super) fn digest(column: &[u8]) -> Result<Digest, StoreError> {
    bytes_32(column).map(Digest::new)
}

pub(super) fn word<T>(column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(column).ok_or(StoreError::Corrupt("word"))
}

/// JSON text; `NULL` is the type's default.
pub(super) fn json<T: DeserializeOwned + Default>(column: Option<&str>) -> Result<T, StoreError> {
    column.map_or(Ok(T::default()), |text| serde_json::from_str(text).ok().ok_or(StoreError::Corrupt("JSON")))
}

/// JSON text of a value that is not its default, else `NULL`.
pub(super) fn to_json<T: serde::Serialize + Default + PartialEq>(value: &T) -> Option<String> {
    (*value != T::default()).then(|| serde_json::to_string(value).expect("plain data serializes"))
}

pub(super) fn moment(column: Option<i64>) -> Option<Timestamp> {
    column.map(Timestamp::from_ms)
}

/// A pattern of LIKE for texts in lower case that contain `text`; empty for an empty one. Escaped with a backslash.
pub(super) fn contains_pattern(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

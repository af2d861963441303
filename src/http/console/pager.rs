//! Lists in pages: what stands in the address, and the link to the next page.

use axum::http::Uri;

use crate::domain::clock::Timestamp;
use crate::http::page;

/// The links below a list.
pub(super) struct Pager {
    pub path: &'static str,
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub continued: bool,
}

/// Longer than anything that one looks for.
const MAX_CHARS: usize = 200;

/// A value of the address; empty where there is none.
pub(super) fn value(uri: &Uri, wanted: &str) -> String {
    let query = uri.query().unwrap_or_default().as_bytes();
    let found = form_urlencoded::parse(query).find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.trim().chars().take(MAX_CHARS).collect()).unwrap_or_default()
}

/// Where the page begins that the address asks for.
pub(super) fn after(uri: &Uri) -> Option<(Timestamp, [u8; 16])> {
    page::read_cursor(&value(uri, "cursor"))
}

impl Pager {
    /// Of a list at `path` with these filters.
    pub(super) fn new(
        uri: &Uri,
        path: &'static str,
        filters: &[(&str, &str)],
        next: Option<(Timestamp, [u8; 16])>,
    ) -> Self {
        let next = next.map(|(at, id)| {
            let mut link = form_urlencoded::Serializer::new(String::new());
            link.extend_pairs(filters.iter().filter(|(_, value)| !value.is_empty()));
            link.append_pair("cursor", &page::write_cursor(at, id));
            format!("{path}?{}", link.finish())
        });
        Self { path, next, continued: after(uri).is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters_and_begins_after_the_last_row() {
        let uri: Uri = "/console/admin/clients?q=%20a%26b%20".parse().unwrap();
        let last = (Timestamp::from_ms(5), [7; 16]);
        let q = value(&uri, "q");
        let pager = Pager::new(&uri, "/console/admin/clients", &[("q", &q), ("x", "")], Some(last));
        assert!(!pager.continued);
        let next: Uri = pager.next.unwrap().parse().unwrap();
        assert_eq!((value(&next, "q").as_str(), after(&next)), ("a&b", Some(last)));
        assert!(Pager::new(&next, "/console/admin/clients", &[], None).continued);
    }
}

//! The filters of a list, in its query: flat, repeatable, every one of them known.

use axum::http::Uri;

use super::page::PageRequest;
use crate::domain::clock::Timestamp;
use crate::service::error::{ApiFailure, FieldError};

/// A page that is asked for, and what shall be on it.
#[derive(Clone, Debug)]
pub(crate) struct ListQuery {
    pub page: PageRequest,
    filters: Filters,
}

/// The filters that were given. An empty value is an absent one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters(Vec<(String, String)>);

/// Values of one filter; each makes the statement dearer.
const MAX_VALUES: usize = 50;
/// Longer than anything that is stored in a column that a filter compares with.
const MAX_VALUE_CHARS: usize = 500;

impl ListQuery {
    /// # Errors
    /// [`ApiFailure::Invalid`] naming the parameter that is neither of the page nor among `known`, or out of bounds.
    pub(crate) fn read(uri: &Uri, known: &[&str]) -> Result<Self, ApiFailure> {
        let (filters, page): (Vec<_>, Vec<_>) = pairs(uri).partition(|(name, _)| known.contains(&name.as_str()));
        let page = PageRequest::from_pairs(page.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        Ok(Self { page, filters: Filters::checked(filters)? })
    }

    /// The query of a request that is no list.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] naming a parameter that is not among `known`.
    pub(crate) fn filters(uri: &Uri, known: &[&str]) -> Result<Filters, ApiFailure> {
        let all: Vec<_> = pairs(uri).collect();
        match all.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(bad(name, "is not a parameter of this request")),
            None => Filters::checked(all),
        }
    }
}

impl std::ops::Deref for ListQuery {
    type Target = Filters;

    fn deref(&self) -> &Filters {
        &self.filters
    }
}

impl Filters {
    fn checked(mut pairs: Vec<(String, String)>) -> Result<Self, ApiFailure> {
        pairs.retain(|(_, value)| !value.is_empty());
        for (name, value) in &pairs {
            if value.chars().count() > MAX_VALUE_CHARS || value.chars().any(char::is_control) {
                return Err(bad(name, &format!("has at most {MAX_VALUE_CHARS} characters, and no control characters")));
            }
            if pairs.iter().filter(|(other, _)| other == name).count() > MAX_VALUES {
                return Err(bad(name, &format!("is given more than {MAX_VALUES} times")));
            }
        }
        Ok(Self(pairs))
    }

    /// Every value of a filter: any of them may match.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect()
    }

    /// # Errors
    /// [`ApiFailure::Invalid`] with `problem` for a value that is no `T`.
    pub(crate) fn all_as<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
        problem: &str,
    ) -> Result<Vec<T>, ApiFailure> {
        self.all(name).iter().map(|value| read(value).ok_or_else(|| bad(name, problem))).collect()
    }

    /// # Errors
    /// [`ApiFailure::Invalid`] when it is repeated.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ApiFailure> {
        let mut values = self.all(name).into_iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(bad(name, "is given more than once")),
        }
    }

    /// # Errors
    /// [`ApiFailure::Invalid`] unless it is `true` or `false`, once.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiFailure> {
        let text = self.text(name)?;
        text.map(|text| text.parse().ok().ok_or_else(|| bad(name, "is true or false"))).transpose()
    }

    /// # Errors
    /// [`ApiFailure::Invalid`] unless it is a moment, once.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<Timestamp>, ApiFailure> {
        let text = self.text(name)?;
        let read = |text: String| text.parse().ok().ok_or_else(|| bad(name, "is a time such as 2026-11-24T12:00:00Z"));
        text.map(read).transpose()
    }
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned()
}

fn bad(name: &str, detail: &str) -> ApiFailure {
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_ECHO_CHARS).collect();
    ApiFailure::Invalid(vec![FieldError::new(format!("?{name}"), detail)])
}

/// How much of what a caller sent is repeated back.
const MAX_ECHO_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<ListQuery, ApiFailure> {
        ListQuery::read(&format!("/list?{query}").parse().unwrap(), &["role", "q", "on", "at"])
    }

    #[test]
    fn filters_repeat_and_empty_ones_do_not_count() {
        let query = read("role=a&role=b&q=&limit=7").unwrap();
        assert_eq!(
            (query.all("role"), query.text("q").unwrap(), query.page.limit),
            (vec!["a".into(), "b".into()], None, 7)
        );
    }

    #[test]
    fn what_is_unknown_repeated_or_of_the_wrong_type_is_refused() {
        assert!(read("rolle=a").is_err());
        assert!(read("q=%00").is_err());
        assert!(read(&format!("q={}", "x".repeat(501))).is_err());
        assert!(read("q=a&q=b").unwrap().text("q").is_err());
        assert!(read("on=1").unwrap().flag("on").is_err());
        assert!(read("at=yesterday").unwrap().moment("at").is_err());
        assert_eq!(read("at=1970-01-01T00:00:01Z").unwrap().moment("at").unwrap(), Some(Timestamp::from_ms(1000)));
        assert!(read(&"role=a&".repeat(51)).is_err());
    }
}

//! Which language a page is in: the one that was chosen, else the browser's, else English.

use axum::http::{HeaderMap, header};

use super::cookie;

/// A language that the console speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    French,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::French];

    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// What it calls itself.
    pub(super) const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
        }
    }

    /// The language of a tag such as `fr-CA` (RFC 5646): its primary subtag decides.
    pub(super) fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    pub(super) fn of(headers: &HeaderMap) -> Self {
        let chosen = cookie::read(headers, cookie::LANGUAGE).and_then(Self::from_tag);
        let accepted = || headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().and_then(most_wanted);
        chosen.or_else(accepted).unwrap_or(Self::English)
    }
}

/// RFC 9110 §12.5.4: the highest weight wins, of equal ones the first.
fn most_wanted(accept: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';');
        let language = parts.next().and_then(|tag| Language::from_tag(tag.trim()));
        let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if let Some(language) = language
            && weight > best.map_or(0.0, |(weight, _)| weight)
        {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_with_the_highest_weight_wins() {
        assert_eq!(most_wanted("fr-CA,fr;q=0.9,en;q=0.8"), Some(Language::French));
        assert_eq!(most_wanted("de, en;q=0.5, fr;q=0.7"), Some(Language::French));
        assert_eq!(most_wanted("en, fr"), Some(Language::English));
        assert_eq!(most_wanted("fr;q=0, en;q=0.1"), Some(Language::English));
        assert_eq!(most_wanted("de;q=x,,;"), None);
    }
}

//! The frame of every page: language, theme, who is signed in, where in the menu it stands; and how values are written.

use std::borrow::Cow;
use std::fmt;

use axum::http::HeaderMap;

use super::assets::{self, Names};
use super::cookie;
use super::language::Language;
use super::menu::Area;
use super::tags::{Grouped, Moment, Span};
use super::texts::{Texts, Value};
use crate::domain::clock::Timestamp;
use crate::store::user::Role;

/// What the frame shows.
#[derive(Clone)]
pub(super) struct Page {
    pub language: Language,
    pub theme: Theme,
    pub who: Option<Who>,
    /// Where the page itself is, for coming back to it.
    pub path: String,
    /// Set by the handler: which entry of the menu is this one.
    pub area: Area,
}

/// Light, dark, or as the system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    Auto,
    Light,
    Dark,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub username: String,
    pub workspace: String,
    pub is_admin: bool,
}

impl Theme {
    pub(super) const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Auto => "theme-auto",
            Self::Light => "theme-light",
            Self::Dark => "theme-dark",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

impl Page {
    pub(super) fn new(headers: &HeaderMap, path: String) -> Self {
        let theme = cookie::read(headers, cookie::THEME).and_then(Theme::from_name).unwrap_or(Theme::Auto);
        Self { language: Language::of(headers), theme, who: None, path, area: Area::None }
    }

    pub(super) fn at(mut self, area: Area) -> Self {
        self.area = area;
        self
    }

    /// A text.
    pub(super) fn t<'k>(&self, key: &'k str) -> Cow<'k, str> {
        Texts::of(self.language).text(key, &[])
    }

    /// A text about a number, which it has as `$count`.
    pub(super) fn n<'k>(&self, key: &'k str, count: impl Count) -> Cow<'k, str> {
        let count = count.count();
        Texts::of(self.language).text(key, &[("count", Value::Number(count))])
    }

    /// A text with one value in it.
    pub(super) fn with<'k>(&self, key: &'k str, name: &'static str, value: impl fmt::Display) -> Cow<'k, str> {
        Texts::of(self.language).text(key, &[(name, Value::Text(&value.to_string()))])
    }

    /// A text with two values in it.
    pub(super) fn with_two<'k>(
        &self,
        key: &'k str,
        first: &'static str,
        value: impl fmt::Display,
        second: &'static str,
        other: impl fmt::Display,
    ) -> Cow<'k, str> {
        let (one, two) = (value.to_string(), other.to_string());
        Texts::of(self.language).text(key, &[(first, Value::Text(&one)), (second, Value::Text(&two))])
    }

    /// A moment: absolute in UTC; the script makes it local and relative.
    pub(super) fn time(&self, at: impl At) -> Moment {
        Moment { at: at.at(), language: self.language }
    }

    /// A number, its digits in groups.
    pub(super) fn number(&self, number: impl Count) -> Grouped {
        Grouped { number: number.count(), language: self.language }
    }

    /// A length of time in words.
    pub(super) fn span(&self, seconds: impl Count) -> Span {
        Span { seconds: seconds.count(), language: self.language }
    }

    /// Where the switches of language and theme come back to.
    pub(super) fn back(&self) -> &str {
        &self.path
    }

    pub(super) fn assets(&self) -> &'static Names {
        assets::names()
    }

    pub(super) fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    pub(super) fn themes(&self) -> [Theme; 3] {
        Theme::ALL
    }
}

impl Who {
    pub(super) fn of(caller: &crate::service::caller::Caller) -> Self {
        let user = caller.user();
        Self {
            username: user.username.clone(),
            workspace: caller.workspace().name.to_string(),
            is_admin: user.role >= Role::Admin,
        }
    }
}

/// A number that a text can be about. Templates pass references, also to references.
pub(super) trait Count {
    fn count(self) -> u64;
}

macro_rules! count {
    ($($number:ty),*) => {$(
        impl Count for $number {
            fn count(self) -> u64 {
                self.try_into().unwrap_or(0)
            }
        }
    )*};
}

count!(u32, u64, usize, i64);

impl<T: Count + Copy> Count for &T {
    fn count(self) -> u64 {
        (*self).count()
    }
}

/// A moment, or a reference to one.
pub(super) trait At {
    fn at(self) -> Timestamp;
}

impl At for Timestamp {
    fn at(self) -> Timestamp {
        self
    }
}

impl<T: At + Copy> At for &T {
    fn at(self) -> Timestamp {
        (*self).at()
    }
}

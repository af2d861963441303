//! A form about one thing that administrators make or edit: its fields, what is wrong with each, and what somebody else
//! has stored meanwhile.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::page::Page;
use super::respond::{html, html_with};
use crate::service::error::FieldError;

/// One form.
#[derive(Template)]
#[template(path = "console/sheet.html")]
pub(super) struct Sheet<'a> {
    pub page: &'a Page,
    pub title: String,
    /// What is told above the form; empty: nothing.
    pub lead: &'static str,
    /// The list that it belongs to: its title and its path.
    pub list: (&'static str, &'static str),
    pub action: String,
    /// Where *Cancel* leads.
    pub back: String,
    /// The label of the button.
    pub verb: &'static str,
    /// A number that is taken once, or the version that the edit is made on.
    pub hidden: (&'static str, String),
    pub fields: Vec<Field>,
    /// Somebody else was faster: what is stored now stands beside what was typed.
    pub merging: bool,
    pub errors: &'a [FieldError],
}

/// A field of a form.
pub(super) struct Field {
    /// What it is called in the form, and in the pointers of what is wrong with it.
    pub name: &'static str,
    pub label: &'static str,
    /// Empty: none.
    pub hint: &'static str,
    pub input: Input,
    /// What is stored now, where it is not what was typed.
    pub stored: Option<String>,
}

/// How a value is given.
pub(super) enum Input {
    Text {
        value: String,
        required: bool,
    },
    /// One value in each line.
    Lines {
        value: String,
    },
    One {
        options: Vec<Tick>,
    },
    Many {
        options: Vec<Tick>,
    },
}

/// A value to choose.
pub(super) struct Tick {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Field {
    pub(super) const fn new(name: &'static str, label: &'static str, input: Input) -> Self {
        Self { name, label, hint: "", input, stored: None }
    }

    pub(super) fn text(name: &'static str, label: &'static str, value: &str) -> Self {
        Self::new(name, label, Input::Text { value: value.to_owned(), required: true })
    }

    pub(super) fn optional(name: &'static str, label: &'static str, value: &str) -> Self {
        Self::new(name, label, Input::Text { value: value.to_owned(), required: false })
    }

    pub(super) const fn hint(mut self, key: &'static str) -> Self {
        self.hint = key;
        self
    }

    /// Notes what is stored now, if that is not what was typed.
    pub(super) fn beside(mut self, stored: Option<String>) -> Self {
        self.stored = stored.filter(|stored| *stored != self.value());
        self
    }

    /// The value in one line.
    fn value(&self) -> String {
        match &self.input {
            Input::Text { value, .. } => value.clone(),
            Input::Lines { value } => value.split_whitespace().collect::<Vec<_>>().join(" "),
            Input::One { options } | Input::Many { options } => {
                let chosen = options.iter().filter(|option| option.chosen);
                chosen.map(|option| option.label.as_str()).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn is_about(&self, error: &FieldError) -> bool {
        error.pointer.trim_start_matches('/').split('/').next() == Some(self.name)
    }
}

impl Sheet<'_> {
    /// 409 where somebody else was faster, 422 where something can't be accepted.
    pub(super) fn respond(&self) -> Response {
        match (self.merging, self.errors) {
            (true, _) => html_with(StatusCode::CONFLICT, self),
            (false, []) => html(self),
            (false, _) => html_with(StatusCode::UNPROCESSABLE_ENTITY, self),
        }
    }

    fn errors_of(&self, field: &Field) -> Vec<&FieldError> {
        self.errors.iter().filter(|error| field.is_about(error)).collect()
    }

    /// What is wrong with no field in particular.
    fn other_errors(&self) -> Vec<&FieldError> {
        self.errors.iter().filter(|error| !self.fields.iter().any(|field| field.is_about(error))).collect()
    }

    /// What describes the input of a field, for those who hear the page.
    fn described_by(&self, field: &Field) -> String {
        let name = field.name;
        let mut ids = Vec::new();
        if !field.hint.is_empty() {
            ids.push(format!("{name}-hint"));
        }
        if field.stored.is_some() {
            ids.push(format!("{name}-stored"));
        }
        if !self.errors_of(field).is_empty() {
            ids.push(format!("{name}-error"));
        }
        ids.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_belongs_to_the_field_that_its_pointer_begins_with() {
        let field = Field::text("apis", "apis", "");
        assert!(field.is_about(&FieldError::new("/apis/0", "is no API")));
        assert!(field.is_about(&FieldError::new("/apis", "has too many")));
        assert!(!field.is_about(&FieldError::new("/apis2", "is unknown")));
    }

    #[test]
    fn what_is_stored_is_shown_only_where_it_differs() {
        assert_eq!(Field::text("name", "name", "a").beside(Some("a".to_owned())).stored, None);
        assert_eq!(Field::text("name", "name", "a").beside(Some("b".to_owned())).stored.as_deref(), Some("b"));
        let lines = Field::new("x", "x", Input::Lines { value: "a\r\nb".to_owned() });
        assert_eq!(lines.beside(Some("a b".to_owned())).stored, None);
    }
}

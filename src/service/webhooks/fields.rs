//! The fields of webhooks that administrators give.

use super::sender::Sender;
use crate::domain::event::EventKind;
use crate::domain::name::{MAX_NAME_CHARS, shown_text};
use crate::domain::webhook::WebhookUrl;
use crate::service::error::{ApiFailure, FieldError};
use crate::store::webhook::Webhook;

/// What a webhook is made of.
#[derive(Clone, Debug, Default)]
pub struct CreateWebhook {
    pub url: String,
    pub description: Option<String>,
    pub types: Vec<String>,
}

/// What an edit changes: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct EditWebhook {
    pub url: Option<String>,
    pub description: Option<String>,
    pub types: Option<Vec<String>>,
    pub enabled: Option<bool>,
}

/// Those that were accepted.
pub(super) struct Fields {
    pub(super) url: WebhookUrl,
    pub(super) description: String,
    pub(super) types: Vec<EventKind>,
}

impl CreateWebhook {
    pub(super) fn read(&self, sender: &Sender) -> Result<Fields, ApiFailure> {
        let mut errors = Vec::new();
        let url = read_url(&self.url, sender, &mut errors);
        let description = read_description(self.description.as_deref().unwrap_or_default(), &mut errors);
        let types = read_types(&self.types, &mut errors);
        match url {
            Some(url) if errors.is_empty() => Ok(Fields { url, description, types }),
            _ => Err(ApiFailure::Invalid(errors)),
        }
    }
}

impl EditWebhook {
    pub(super) fn apply(&self, hook: &Webhook, sender: &Sender) -> Result<Webhook, ApiFailure> {
        let (mut edited, mut errors) = (hook.clone(), Vec::new());
        if let Some(text) = &self.url {
            edited.url = read_url(text, sender, &mut errors).unwrap_or(edited.url);
        }
        if let Some(text) = &self.description {
            edited.description = read_description(text, &mut errors);
        }
        if let Some(words) = &self.types {
            edited.types = read_types(words, &mut errors);
        }
        edited.enabled = self.enabled.unwrap_or(hook.enabled);
        if errors.is_empty() { Ok(edited) } else { Err(ApiFailure::Invalid(errors)) }
    }
}

fn read_url(text: &str, sender: &Sender, errors: &mut Vec<FieldError>) -> Option<WebhookUrl> {
    let read = text.parse::<WebhookUrl>().map_err(|error| error.to_string());
    // A name is looked at when it is resolved; an address can be judged now.
    let read = read.and_then(|url| sender.may_send_to(&url).map(|()| url).map_err(|refused| refused.to_string()));
    read.map_err(|detail| errors.push(FieldError::new("/url", detail))).ok()
}

/// An empty one is none.
fn read_description(text: &str, errors: &mut Vec<FieldError>) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let read = shown_text(text, MAX_NAME_CHARS);
    read.map_err(|error| errors.push(FieldError::new("/description", error.to_string()))).unwrap_or_default()
}

/// In the order of the list of all types, each once.
fn read_types(words: &[String], errors: &mut Vec<FieldError>) -> Vec<EventKind> {
    let mut types = Vec::new();
    for (place, word) in words.iter().enumerate() {
        match word.parse::<EventKind>() {
            Ok(kind) => types.push(kind),
            Err(error) => errors.push(FieldError::new(format!("/types/{place}"), error.to_string())),
        }
    }
    EventKind::ALL.iter().copied().filter(|kind| types.contains(kind)).collect()
}

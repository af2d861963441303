//! What all resources of the REST API have in common: lists, one thing, edits, deletions.

use clap::Args;
use serde_json::{Map, Value};

use super::args::{Confirmation, Format, Remote};
use super::confirm::destroy;
use super::exit::Failed;
use super::output;
use super::remote::{Api, Export};

/// A resource: where its list is, which columns a table of it has, and what one of it is called.
pub(super) struct Resource {
    pub path: &'static str,
    pub columns: &'static [&'static str],
    pub one: &'static str,
}

/// Filters of a list, by the names of the REST API.
#[derive(Debug, Default, Args)]
pub(super) struct Filters {
    /// Part of a name
    #[arg(short, long, value_name = "TEXT")]
    pub query: Option<String>,
    /// Another filter of the REST API, for instance created_after=2026-01-01T00:00:00Z; repeat for several
    #[arg(short, long = "filter", value_name = "NAME=VALUE", value_parser = pair)]
    pub filters: Vec<(String, String)>,
}

impl Filters {
    /// As parameters, after others.
    pub(super) fn into_pairs(self, mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
        pairs.extend(self.query.map(|query| ("q".to_owned(), query)));
        pairs.extend(self.filters);
        pairs
    }
}

impl Resource {
    /// The path of one thing.
    pub(super) fn one(&self, id: &str) -> String {
        format!("{}/{}", self.path, segment(id))
    }

    pub(super) fn list(&self, filters: &[(String, String)], remote: &Remote) -> Result<(), Failed> {
        output::rows(&Api::new(remote)?.list(self.path, filters)?, self.columns, remote.output)
    }

    /// As [`Resource::list`]; CSV and lines of JSON are written as they arrive, whatever the length of the list.
    pub(super) fn export(&self, filters: &[(String, String)], remote: &Remote) -> Result<(), Failed> {
        match remote.output {
            Format::Csv => Api::new(remote)?.export(self.path, filters, Export::Csv),
            Format::Ndjson => Api::new(remote)?.export(self.path, filters, Export::Ndjson),
            Format::Table | Format::Json => self.list(filters, remote),
        }
    }

    pub(super) fn show(&self, id: &str, remote: &Remote) -> Result<(), Failed> {
        output::object(&Api::new(remote)?.get(&self.one(id))?, remote.output)
    }

    pub(super) fn create(&self, body: Map<String, Value>, remote: &Remote) -> Result<(), Failed> {
        output::object(&Api::new(remote)?.post(self.path, &body.into())?, remote.output)
    }

    /// Edits what is there now; somebody else's edit in between is a conflict.
    pub(super) fn edit(&self, id: &str, patch: Map<String, Value>, remote: &Remote) -> Result<(), Failed> {
        output::object(&Api::new(remote)?.edit(&self.one(id), &patch.into())?, remote.output)
    }

    pub(super) fn delete(
        &self,
        id: &str,
        consequence: &str,
        confirmation: Confirmation,
        remote: &Remote,
    ) -> Result<(), Failed> {
        let api = Api::new(remote)?;
        let question = format!("Delete {} {id}? {consequence}", self.one);
        destroy(&question, confirmation, remote, |dry_run| api.delete(&dry(&self.one(id), dry_run)))
    }
}

/// The path, with `dry_run=true` where it is one.
pub(super) fn dry(path: &str, dry_run: bool) -> String {
    if dry_run { format!("{path}?dry_run=true") } else { path.to_owned() }
}

/// One segment of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// `NAME=VALUE`
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A body of the members that were given.
pub(super) fn body<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A list that was given; an empty one was not.
pub(super) fn given(values: Vec<String>) -> Option<Value> {
    (!values.is_empty()).then(|| values.into())
}

/// A list that an edit sets; one empty text empties it.
pub(super) fn replaced(values: Vec<String>) -> Option<Value> {
    given(values).map(|values| if values == serde_json::json!([""]) { serde_json::json!([]) } else { values })
}

//! `jeton legacy …` and `jeton token import`: tokens of an older system.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::args::{Confirmation, Format, Remote, TOKEN_HELP};
use super::confirm::destroy;
use super::exit::{Exit, Failed};
use super::output;
use super::remote::{Api, Export, query};
use super::resource::{Filters, Resource, body, dry, segment};

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Legacy {
    /// List imports, newest first
    List {
        #[command(flatten)]
        filters: Filters,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one import and how far it is
    Show {
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Let its tokens be used until later
    Extend {
        id: String,
        /// RFC 3339, for instance 2027-03-01T00:00:00Z
        deadline: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// List its tokens that are still in use, and by whom
    Report {
        id: String,
        /// RFC 3339; since the import where it is left out
        #[arg(long)]
        used_after: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Revoke all tokens of an import
    Delete {
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Which file, and what its tokens are.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// NDJSON, or CSV if its name ends so
    file: PathBuf,
    /// Where the tokens come from
    #[arg(long, required_unless_present = "into")]
    source: Option<String>,
    /// How that system has kept them: plain, sha256, sha512, hmac-sha256 or bcrypt
    #[arg(long, default_value = "sha256")]
    scheme: String,
    /// When they end, RFC 3339
    #[arg(long, required_unless_present = "into")]
    deadline: Option<String>,
    /// Repeat for several
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// Go on with an import that is there
    #[arg(long, value_name = "ID", conflicts_with_all = ["source", "deadline"])]
    into: Option<String>,
    /// Tell what would be imported into an import that is there, and import nothing
    #[arg(long, requires = "into")]
    dry_run: bool,
    #[command(flatten)]
    remote: Remote,
}

const IMPORTS: Resource = Resource {
    path: "/admin/v1/legacy-imports",
    columns: &["id", "source", "scheme", "status", "deadline", "imported", "refused", "created_at"],
    one: "import",
};

const IN_USE: &[&str] = &["id", "name", "owner", "last_used_at", "created_at"];

pub(super) fn run(command: Legacy) -> Result<(), Failed> {
    match command {
        Legacy::List { filters, remote } => IMPORTS.list(&filters.into_pairs(Vec::new()), &remote),
        Legacy::Show { id, remote } => IMPORTS.show(&id, &remote),
        Legacy::Extend { id, deadline, remote } => {
            let path = format!("{}/extend", IMPORTS.one(&id));
            output::object(&Api::new(&remote)?.post(&path, &json!({ "deadline": deadline }))?, remote.output)
        }
        Legacy::Report { id, used_after, remote } => {
            let (path, api) = (format!("{}/in-use", IMPORTS.one(&id)), Api::new(&remote)?);
            let filters: Vec<_> = used_after.map(|moment| ("used_after".to_owned(), moment)).into_iter().collect();
            if remote.output == Format::Csv {
                return api.export(&path, &filters, Export::Csv);
            }
            output::rows(&api.list(&path, &filters)?, IN_USE, remote.output)
        }
        Legacy::Delete { id, confirmation, remote } => {
            let api = Api::new(&remote)?;
            let question = format!("Revoke all tokens of import {id}? Requests with them will get HTTP 401.");
            destroy(&question, confirmation, &remote, |dry_run| api.delete(&dry(&IMPORTS.one(&id), dry_run)))
        }
    }
}

/// Announces the import, if it is not there, and sends the file as it is read.
pub(super) fn import(import: Import) -> Result<(), Failed> {
    let api = Api::new(&import.remote)?;
    let file = std::fs::File::open(&import.file);
    let file = file.map_err(|error| Failed::new(Exit::Usage, format!("{}: {error}", import.file.display())))?;
    let id = match import.into {
        Some(id) => id,
        None => {
            let members = body([
                ("source", import.source.map(Into::into)),
                ("scheme", Some(json!(import.scheme))),
                ("deadline", import.deadline.map(Into::into)),
                ("scopes", Some(json!(import.scopes))),
            ]);
            let made = api.post(IMPORTS.path, &Value::Object(members))?;
            made["id"].as_str().unwrap_or_default().to_owned()
        }
    };
    let csv = import.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let media_type = if csv { Export::Csv } else { Export::Ndjson };
    let pairs: &[(String, String)] = &[("dry_run".to_owned(), "true".to_owned())];
    let path = query(&format!("{}/{}/rows", IMPORTS.path, segment(&id)), if import.dry_run { pairs } else { &[] });
    let mut summary = api.upload(&path, media_type, file)?;
    if let Some(members) = summary.as_object_mut() {
        members.insert("import".to_owned(), json!(id));
    }
    output::object(&summary, import.remote.output)
}

//! `jeton config …`

use std::fs;
use std::io::Write as _;

use super::args::Config;
use super::exit::{Exit, Failed};
use super::output;
use crate::config::{Loaded, sample, schema};

pub(super) fn run(
    command: &Config,
    load: impl Fn(Vec<(String, String)>) -> Result<Loaded, Failed>,
) -> Result<(), Failed> {
    match command {
        Config::Check => {
            let loaded = load(Vec::new())?;
            let from = loaded.file.map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
            output::raw(format!("The configuration is good ({from}).\n").as_bytes())
        }
        Config::Print { show_origin } => {
            let lines = load(Vec::new())?.lines().into_iter().map(|(key, value, origin)| {
                if *show_origin { format!("{key} = {value}  # {origin}\n") } else { format!("{key} = {value}\n") }
            });
            output::raw(lines.collect::<String>().as_bytes())
        }
        Config::Schema => {
            let text = serde_json::to_string_pretty(&schema()).map_err(Failed::internal)?;
            output::raw(format!("{text}\n").as_bytes())
        }
        Config::Init { stdout: true, .. } => output::raw(sample().as_bytes()),
        Config::Init { path, .. } => {
            let written = (|| {
                if let Some(directory) = path.parent() {
                    fs::create_dir_all(directory)?;
                }
                fs::File::create_new(path)?.write_all(sample().as_bytes())
            })();
            written.map_err(|error| Failed::new(Exit::Conflict, format!("{}: {error}", path.display())))?;
            output::raw(format!("{}\n", path.display()).as_bytes())
        }
    }
}

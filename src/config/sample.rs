//! The sample file and the JSON schema, both made from the [`Config`] type.

use std::fmt::Write as _;

use schemars::{Schema, schema_for};
use serde_json::Value;
use toml::Table;

use super::Config;

/// The JSON schema of the configuration file.
#[must_use]
pub fn schema() -> Schema {
    schema_for!(Config)
}

/// The sample file: every key with its default and its comment.
#[must_use]
pub fn sample() -> String {
    let schema = schema().to_value();
    let defaults = Table::try_from(Config::default()).expect("the defaults are plain data");
    let mut out = String::from(
        "# Configuration of Jeton. Every key is shown with its default; delete what you do not change.\n\
         # Precedence: command line > environment (JETON__SECTION__KEY, JETON__SECTION__KEY_FILE) > this file > default.\n\
         # Lifetimes are whole seconds or texts such as \"90s\", \"30m\", \"6h\", \"365d\".\n",
    );
    write_table(&mut out, &schema, &schema, &defaults, "");
    out
}

fn write_table(out: &mut String, root: &Value, schema: &Value, values: &Table, path: &str) {
    let (plain, tables): (Vec<_>, Vec<_>) = values.iter().partition(|(_, value)| !value.is_table());
    for (key, value) in plain {
        comment(out, property(root, schema, key));
        let _infallible = writeln!(out, "{key} = {value}");
    }
    for (key, value) in tables {
        let Some(table) = value.as_table() else { continue };
        let own = property(root, schema, key);
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        comment(out, own);
        if own.get("properties").is_some() {
            let _infallible = writeln!(out, "[{path}]");
            write_table(out, root, own, table, &path);
        } else {
            write_map(out, root, own, table, &path);
        }
    }
}

/// A table with free keys: its entries' comments stand once, before them.
fn write_map(out: &mut String, root: &Value, schema: &Value, values: &Table, path: &str) {
    let entry = resolve(root, &schema["additionalProperties"]);
    for (key, property) in entry["properties"].as_object().into_iter().flatten() {
        let description = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        let _infallible = writeln!(out, "#   {key}: {description}");
    }
    for (key, value) in values {
        let _infallible = writeln!(out, "\n[{path}.{key}]");
        for (key, value) in value.as_table().into_iter().flatten() {
            let _infallible = writeln!(out, "{key} = {value}");
        }
    }
}

fn comment(out: &mut String, schema: &Value) {
    out.push('\n');
    for line in schema["description"].as_str().unwrap_or_default().lines() {
        let _infallible = writeln!(out, "# {line}");
    }
}

fn property<'a>(root: &'a Value, schema: &'a Value, key: &str) -> &'a Value {
    let own = &schema["properties"][key];
    // A description beside a `$ref` is the field's; the referenced type has its own.
    if own.get("$ref").is_some() && own.get("description").is_none() { resolve(root, own) } else { merged(root, own) }
}

/// What `own` refers to, if the field needs more than its description.
fn merged<'a>(root: &'a Value, own: &'a Value) -> &'a Value {
    let target = resolve(root, own);
    if target.get("properties").is_some() { target } else { own }
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        Some(name) => &root["$defs"][name],
        None => schema,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_file_reads_back_as_the_defaults() {
        let read: Config = toml::from_str(&sample()).unwrap();
        assert_eq!(Table::try_from(read).unwrap(), Table::try_from(Config::default()).unwrap());
    }

    #[test]
    fn every_key_of_the_sample_has_a_comment() {
        let text = sample();
        let lines: Vec<&str> = text.lines().collect();
        let policies = lines.iter().position(|line| line.starts_with("[policies.")).unwrap();
        for (index, line) in lines[..policies].iter().enumerate().filter(|(_, line)| line.contains(" = ")) {
            if !line.starts_with('#') {
                assert!(lines[index - 1].starts_with("# "), "{line}");
            }
        }
    }

    #[test]
    fn the_committed_sample_is_the_one_that_the_type_makes() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/jeton.toml");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(committed, sample(), "run: cargo run -- config init --stdout > config/jeton.toml");
    }
}

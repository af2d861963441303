//! Prints JSON objects as a table, JSON, NDJSON or CSV.

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use super::args::Format;
use super::exit::Failed;

/// Prints rows with these columns; `-o json` prints all fields.
pub(super) fn rows(rows: &[Value], columns: &[&str], format: Format) -> Result<(), Failed> {
    let cells = |row: &Value| columns.iter().map(|column| cell(&row[*column])).collect::<Vec<_>>();
    let text = match format {
        Format::Json => format!("{}\n", pretty(&Value::Array(rows.to_vec()))),
        Format::Ndjson => rows.iter().map(|row| format!("{row}\n")).collect(),
        Format::Csv => {
            let header = columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>();
            std::iter::once(header).chain(rows.iter().map(cells)).map(|line| csv(&line)).collect()
        }
        Format::Table => {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(columns.iter().map(|column| column.to_uppercase().replace('_', " ")));
            table.add_rows(rows.iter().map(cells));
            format!("{}\n", table.trim_fmt())
        }
    };
    raw(text.as_bytes())
}

/// Prints one object: name and value in lines, or as the other formats do.
pub(super) fn object(object: &Value, format: Format) -> Result<(), Failed> {
    let fields = object.as_object().into_iter().flatten();
    match format {
        Format::Json => raw(format!("{}\n", pretty(object)).as_bytes()),
        Format::Ndjson => raw(format!("{object}\n").as_bytes()),
        Format::Csv => {
            let (names, values): (Vec<String>, Vec<String>) =
                fields.map(|(name, value)| (name.clone(), cell(value))).unzip();
            raw(format!("{}{}", csv(&names), csv(&values)).as_bytes())
        }
        Format::Table => {
            let lines = fields.map(|(name, value)| format!("{name:<28} {}\n", cell(value)));
            raw(lines.collect::<String>().as_bytes())
        }
    }
}

/// Writes bytes to standard output. A reader that has gone away (`| head`) is no failure.
pub(super) fn raw(bytes: &[u8]) -> Result<(), Failed> {
    match std::io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failed::internal(error)),
        _ => Ok(()),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Object(fields) if fields.contains_key("name") => cell(&fields["name"]),
        other => other.to_string(),
    }
}

/// RFC 4180. A cell that a spreadsheet would take for a formula is made a text.
fn csv(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        let cell = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell != "-" {
            format!("'{cell}")
        } else {
            cell.clone()
        };
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
    });
    format!("{}\r\n", quoted.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_and_defuses_formulas() {
        let line = csv(&["a,b".to_owned(), "say \"x\"".to_owned(), "=1+1".to_owned(), "-".to_owned()]);
        assert_eq!(line, "\"a,b\",\"say \"\"x\"\"\",'=1+1,-\r\n");
    }
}

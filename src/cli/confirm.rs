//! Asks before something is destroyed, and tells before what it would be.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use serde_json::Value;

use super::args::{Confirmation, Remote};
use super::exit::{Exit, Failed};
use super::output;

/// Does what destroys, when the user has agreed; with `--dry-run` only what tells. `call` is given whether it is a dry run.
///
/// # Errors
/// [`Exit::Usage`] when nobody can be asked, [`Exit::Failed`] when the answer is not yes, or the call's.
pub(super) fn destroy(
    question: &str,
    confirmation: Confirmation,
    remote: &Remote,
    call: impl Fn(bool) -> Result<Value, Failed>,
) -> Result<(), Failed> {
    if confirmation.dry_run {
        return output::object(&call(true)?, remote.output);
    }
    agreed(confirmation, || Ok(format!("{}\n{question}", impact(&call(true)?))))?;
    output::object(&call(false)?, remote.output)
}

/// Asks, unless it was agreed to on the command line.
///
/// # Errors
/// [`Exit::Usage`] when nobody can be asked, [`Exit::Failed`] when the answer is not yes, or the question's.
pub(super) fn agreed(
    confirmation: Confirmation,
    question: impl FnOnce() -> Result<String, Failed>,
) -> Result<(), Failed> {
    if confirmation.yes {
        return Ok(());
    }
    let can_ask = !confirmation.no_input && std::io::stdin().is_terminal();
    if !can_ask {
        return Err(Failed::new(Exit::Usage, "this needs a confirmation: repeat it with --yes"));
    }
    ask(&question()?)
}

/// The numbers of a dry run in one line.
fn impact(told: &Value) -> String {
    let reach = if told["reach"].is_object() { &told["reach"] } else { told };
    let numbers = reach.as_object().into_iter().flatten().filter(|(_, value)| value.is_number());
    let words = numbers.map(|(name, value)| format!("{} {value}", name.replace('_', " ")));
    words.collect::<Vec<_>>().join(", ")
}

fn ask(question: &str) -> Result<(), Failed> {
    let mut stderr = std::io::stderr();
    let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    asked.map_err(Failed::internal)?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(Failed::internal)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Failed::new(Exit::Failed, "nothing was changed"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_numbers_of_a_dry_run_are_told() {
        let told = json!({ "dry_run": true, "matched": 3, "used_last_7_days": 1, "owners": [] });
        assert_eq!(impact(&told), "matched 3, used last 7 days 1");
        assert_eq!(impact(&json!({ "reach": { "tokens": 2, "recently_used": [] } })), "tokens 2");
    }
}

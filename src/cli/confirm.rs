//! Asks before something is destroyed.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::args::Confirmation;
use super::exit::{Exit, Failed};

/// Returns when the user has agreed.
///
/// # Errors
/// [`Exit::Usage`] when nobody can be asked, [`Exit::Failed`] when the answer is not yes.
pub(super) fn confirm(question: &str, confirmation: Confirmation) -> Result<(), Failed> {
    if confirmation.yes {
        return Ok(());
    }
    if confirmation.no_input || !std::io::stdin().is_terminal() {
        return Err(Failed::new(Exit::Usage, "this needs a confirmation: repeat it with --yes"));
    }
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

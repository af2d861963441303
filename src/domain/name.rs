//! Names that people give to tokens and clients, and other short texts that are shown to people.

/// What a text must be to be shown in a list without misleading anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error("can't be empty")]
    Empty,
    #[error("has at most {0} characters")]
    TooLong(usize),
    #[error("can't have control characters, line separators or characters that change the direction of text")]
    Character,
}

/// A name: long enough for a sentence, short enough for a column.
pub const MAX_NAME_CHARS: usize = 200;
/// A reason that is kept with an act.
pub const MAX_REASON_CHARS: usize = 500;

/// Reads a text of 1 to `max` characters, without the white space around it.
///
/// # Errors
/// [`BadText`].
pub fn shown_text(text: &str, max: usize) -> Result<String, BadText> {
    let text = text.trim();
    if text.is_empty() {
        return Err(BadText::Empty);
    }
    if text.chars().count() > max {
        return Err(BadText::TooLong(max));
    }
    if text.chars().any(misleads) {
        return Err(BadText::Character);
    }
    Ok(text.to_owned())
}

/// Controls, line and paragraph separators, zero-width and bidirectional formatting characters.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_misleading_ones_refused() {
        assert_eq!(shown_text("  caf\u{e9} \u{1f600} ", 200).as_deref(), Ok("caf\u{e9} \u{1f600}"));
        assert_eq!(shown_text(" \t", 200), Err(BadText::Empty));
        assert_eq!(shown_text(&"x".repeat(201), 200), Err(BadText::TooLong(200)));
        for bad in ["a\u{0}b", "a\r\nb", "\u{202e}abc", "a\u{feff}b", "a\u{2028}b", "a\u{200b}b"] {
            assert_eq!(shown_text(bad, 200), Err(BadText::Character), "{bad:?}");
        }
    }
}

//! Text that people type: lengths in Unicode code points, and the characters that names may not hold.

/// Says what is wrong with a text that a person gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space, where something must stand.
    #[error("must not be blank")]
    Blank,
    /// Fewer code points than `min`.
    #[error("must have at least {min} characters")]
    TooShort {
        /// The least number of code points.
        min: usize,
    },
    /// More code points than `max`.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The greatest number of code points.
        max: usize,
    },
    /// A control character or one that overrides the direction of text.
    #[error("must not contain control characters")]
    ControlCharacters,
    /// The text does not have the form that its field needs.
    #[error("does not have the right form")]
    Malformed,
    /// A word kept for the product's own use.
    #[error("is reserved")]
    Reserved,
}

/// Says whether a character may not stand in a name: control characters, line and paragraph
/// separators, and the bidirectional controls of Unicode (UAX #9) with which one name imitates another.
#[must_use]
pub fn is_forbidden_in_names(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061C}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
        )
}

/// Says whether a text is empty to the eye: white space and zero-width characters only.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|character| {
        character.is_whitespace()
            || character.is_control()
            || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}')
    })
}

/// Reads a name of one line: trimmed, `min` to `max` code points, nothing of
/// [`is_forbidden_in_names`].
///
/// # Errors
/// [`TextError::ControlCharacters`], [`TextError::Blank`], [`TextError::TooShort`] or
/// [`TextError::TooLong`].
pub fn parse_name(text: &str, min: usize, max: usize) -> Result<String, TextError> {
    // Before trimming: a line break at an end is white space too, and is refused like one inside.
    if text.chars().any(is_forbidden_in_names) {
        return Err(TextError::ControlCharacters);
    }
    let name = text.trim();
    if is_blank(name) {
        return Err(TextError::Blank);
    }
    check_length(name, min, max)?;
    Ok(name.to_owned())
}

/// Checks a length in code points.
///
/// # Errors
/// [`TextError::TooShort`] or [`TextError::TooLong`].
pub fn check_length(text: &str, min: usize, max: usize) -> Result<(), TextError> {
    // Stops at the first character too many: the text may be as long as a request's body.
    let length = text.chars().take(max + 1).count();
    if length < min {
        Err(TextError::TooShort { min })
    } else if length > max {
        Err(TextError::TooLong { max })
    } else {
        Ok(())
    }
}

/// Folds a text for a search that ignores case; the same for what is stored and what is asked.
#[must_use]
pub fn fold_case(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_code_points_and_not_bytes() {
        assert_eq!(parse_name("😀😀", 2, 2).as_deref(), Ok("😀😀"));
        assert_eq!(parse_name("😀😀😀", 1, 2), Err(TextError::TooLong { max: 2 }));
        assert_eq!(parse_name("я", 2, 9), Err(TextError::TooShort { min: 2 }));
    }

    #[test]
    fn a_name_is_trimmed_and_never_blank() {
        assert_eq!(parse_name("  Team  ", 1, 9).as_deref(), Ok("Team"));
        for blank in ["", "   ", "\u{3000}", "\u{200B}"] {
            assert_eq!(parse_name(blank, 1, 9), Err(TextError::Blank), "{blank:?}");
        }
    }

    #[test]
    fn control_and_direction_characters_are_refused_wherever_they_stand() {
        for text in ["a\0b", "a\n", "\ta", "a\u{202E}b", "\u{2066}a", "a\u{2028}b", "a\u{7f}"] {
            assert_eq!(parse_name(text, 1, 9), Err(TextError::ControlCharacters), "{text:?}");
        }
    }
}

//! Texts of others on somebody's terminal.

/// Makes a text harmless for a terminal: signs that steer it, or turn the direction of writing, are shown as `�`.
/// Line breaks and tabs stay.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|sign| if steers(sign) { char::REPLACEMENT_CHARACTER } else { sign }).collect()
}

/// The same on one line: for cells of a table and values of a list.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars()
        .map(|sign| match sign {
            '\n' | '\r' | '\t' => ' ',
            sign if steers(sign) => char::REPLACEMENT_CHARACTER,
            sign => sign,
        })
        .collect()
}

/// Says whether a sign does something to a terminal or to the signs around it (Unicode, UAX 9).
pub(crate) fn steers(sign: char) -> bool {
    let is_layout = matches!(sign, '\n' | '\t');
    let turns =
        matches!(sign, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (sign.is_control() && !is_layout) || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\u{9b}2Jc\u{202e}d\r"), "a�[31mb�2Jc�d�");
        assert_eq!(plain("zwei\nZeilen\tя 日本"), "zwei\nZeilen\tя 日本");
        assert_eq!(on_one_line("a\nb\tc\u{7}"), "a b c�");
    }
}

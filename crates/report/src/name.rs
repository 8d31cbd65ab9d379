//! Names that users chose, made fit to be shown. Escaping is the template's work; this is about what no escape helps.

/// The name with control characters, which XML forbids and terminals obey, replaced by U+FFFD.
pub(crate) fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }).collect()
}

/// As [`shown`], cut after `longest` characters with an ellipsis.
pub(crate) fn short(name: &str, longest: usize) -> String {
    let shown = shown(name);
    if shown.chars().count() <= longest {
        return shown;
    }
    let kept: String = shown.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`: quoted, at most three in full.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted = |name: &&str| format!("“{}”", short(name, 40));
    match names {
        [] => "none".to_owned(),
        [one] => quoted(one),
        [first @ .., last] if names.len() <= 3 => {
            format!("{} and {}", first.iter().map(quoted).collect::<Vec<_>>().join(", "), quoted(last))
        }
        [first @ .., _] => {
            let (some, more) = (&first[..3], names.len() - 3);
            format!("{} and {more} more", some.iter().map(quoted).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_and_cleaned_by_characters() {
        for (name, want) in [
            ("cat", "cat"),
            ("a\u{0}b\nc", "a\u{fffd}b\u{fffd}c"),
            ("fünfzehn_klassen", "fünfzehn…"),
            ("🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊", "🦊🦊🦊🦊🦊🦊🦊🦊…"),
            ("", ""),
        ] {
            assert_eq!(short(name, 9), want);
        }
    }

    #[test]
    fn a_list_reads_as_a_sentence() {
        assert_eq!(list(&["a"]), "“a”");
        assert_eq!(list(&["a", "b"]), "“a” and “b”");
        assert_eq!(list(&["a", "b", "c"]), "“a”, “b” and “c”");
        assert_eq!(list(&["a", "b", "c", "d", "e"]), "“a”, “b”, “c” and 2 more");
    }
}

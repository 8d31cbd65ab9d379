//! serde's words about a value of the wrong type, without the types of Rust.

/// What was given and what must be given, of a message of serde of the form "…, expected …"; `None` of any other.
///
/// ```
/// let words = "invalid type: string \"ten\", expected u32";
/// assert_eq!(avizor_base::mistyped(words), Some(("\"ten\"", "a whole number")));
/// ```
pub fn mistyped(words: &str) -> Option<(&str, &str)> {
    const STARTS: [&str; 3] = ["invalid type: ", "invalid value: ", "unknown variant "];
    const TYPES: [&str; 4] = ["string ", "integer ", "floating point ", "boolean "];

    let (got, wanted) = words.trim_end().split_once(", expected ")?;
    let got = if got.starts_with("invalid length ") {
        "of another length"
    } else {
        let got = STARTS.iter().find_map(|start| got.strip_prefix(start))?;
        TYPES.iter().find_map(|name| got.strip_prefix(name)).unwrap_or(got)
    };
    let wanted = match wanted {
        "usize" | "u8" | "u16" | "u32" | "u64" if got.starts_with("`-") => "a whole number that is not negative",
        "usize" | "u8" | "u16" | "u32" | "u64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a sequence" => "a list in brackets",
        "an array of length 2" => "two values in brackets",
        "an array of length 3" => "three values in brackets",
        other => other,
    };
    Some((got, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_rust_become_words() {
        let cases = [
            ("invalid value: integer `-1`, expected u32", Some(("`-1`", "a whole number that is not negative"))),
            ("invalid type: floating point `1.5`, expected usize", Some(("`1.5`", "a whole number"))),
            ("invalid length 1, expected an array of length 2", Some(("of another length", "two values in brackets"))),
            ("unknown variant `sdg`, expected `sgd` or `adam`", Some(("`sdg`", "`sgd` or `adam`"))),
            ("a number, or two numbers in brackets", None),
            ("unclosed table, expected `]`", None),
        ];
        for (words, expected) in cases {
            assert_eq!(mistyped(words), expected, "{words}");
        }
    }
}

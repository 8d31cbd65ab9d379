//! Labels in file names: `{class}_{number}`.

use std::fmt;
use std::str::FromStr;

/// How a name is read, such as `{class}_{number}` for `bart_simpson_12.jpg`.
///
/// Between plain text stand `{class}`, `{group}` (a patient, a scene), `{number}` (digits) and `{any}`. Each takes at
/// least one character and none a `/`; where a name can be read in several ways, class and number take as much as
/// they can, group and any as little, and of a class before a number the digits are the number's. The pattern is laid over the whole name without its extension; where it has a
/// `/`, over as many last folders as it has slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    pieces: Vec<Piece>,
    slashes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Field(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Class,
    Group,
    Number,
    Any,
}

/// What a pattern found in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameParts<'a> {
    /// What stood at `{class}`.
    pub class: &'a str,
    /// What stood at `{group}`.
    pub group: Option<&'a str>,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A field that does not exist.
    #[error(
        "the pattern \"{pattern}\" has a field \"{{{field}}}\"; the fields are {{class}}, {{group}}, {{number}} and {{any}}"
    )]
    UnknownField {
        /// The whole pattern.
        pattern: String,
        /// What stands between the braces.
        field: String,
    },
    /// A brace without its partner.
    #[error("the pattern \"{0}\" opens a brace and does not close it")]
    OpenBrace(String),
    /// No `{class}`, or two.
    #[error("the pattern \"{pattern}\" has {times} times {{{field}}}")]
    Times {
        /// The whole pattern.
        pattern: String,
        /// The field.
        field: &'static str,
        /// How often it is there.
        times: usize,
    },
}

impl FromStr for NamePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once('{') {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(plain.to_owned()));
            }
            let (field, after) = after.split_once('}').ok_or_else(|| PatternError::OpenBrace(text.to_owned()))?;
            pieces.push(Piece::Field(match field {
                "class" => Field::Class,
                "group" => Field::Group,
                "number" => Field::Number,
                "any" => Field::Any,
                _ => return Err(PatternError::UnknownField { pattern: text.to_owned(), field: field.to_owned() }),
            }));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.to_owned()));
        }
        let count = |field| pieces.iter().filter(|piece| **piece == Piece::Field(field)).count();
        for (name, times, allowed) in [("class", count(Field::Class), 1..=1), ("group", count(Field::Group), 0..=1)] {
            if !allowed.contains(&times) {
                return Err(PatternError::Times { pattern: text.to_owned(), field: name, times });
            }
        }
        let slashes = text.matches('/').count();
        Ok(Self { text: text.to_owned(), pieces, slashes })
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl NamePattern {
    /// Class and group in the name of a sample; `None` where the pattern does not fit.
    pub fn read<'a>(&self, name: &'a str) -> Option<NameParts<'a>> {
        let tail = match name.rmatch_indices('/').nth(self.slashes) {
            Some((slash, _)) => &name[slash + 1..],
            None => name,
        };
        let (folder, file) = tail.rsplit_once('/').map_or((0, tail), |(folder, file)| (folder.len() + 1, file));
        let subject = &tail[..folder + super::file_kind::stem(file).len()];
        let mut search =
            Search { pieces: &self.pieces, subject, failed: Vec::new(), found: vec![""; self.pieces.len()] };
        search.failed = vec![false; (self.pieces.len() + 1) * (subject.len() + 1)];
        if !search.fits(0, 0) {
            return None;
        }
        let at = |field| {
            let position = self.pieces.iter().position(|piece| *piece == Piece::Field(field))?;
            Some(search.found[position])
        };
        Some(NameParts { class: at(Field::Class)?, group: at(Field::Group) })
    }
}

/// The first way to read a name, with what failed remembered: the time is bounded by pieces × length², whatever the pattern.
struct Search<'p, 'a> {
    pieces: &'p [Piece],
    subject: &'a str,
    failed: Vec<bool>,
    found: Vec<&'a str>,
}

impl Search<'_, '_> {
    fn fits(&mut self, piece: usize, start: usize) -> bool {
        let rest = &self.subject[start..];
        let Some(wanted) = self.pieces.get(piece) else { return rest.is_empty() };
        let key = piece * (self.subject.len() + 1) + start;
        if self.failed[key] {
            return false;
        }
        let fits = match wanted {
            Piece::Plain(text) => rest.starts_with(text.as_str()) && self.fits(piece + 1, start + text.len()),
            Piece::Field(field) => {
                let takes = |c: char| if *field == Field::Number { c.is_ascii_digit() } else { c != '/' };
                let mut ends: Vec<usize> =
                    rest.char_indices().take_while(|&(_, c)| takes(c)).map(|(at, c)| at + c.len_utf8()).collect();
                if matches!(field, Field::Class | Field::Number) {
                    ends.reverse();
                }
                // A number takes all its digits: `blue12` is blue, not blue1.
                if *field == Field::Class && self.pieces.get(piece + 1) == Some(&Piece::Field(Field::Number)) {
                    ends.retain(|&end| !rest[..end].ends_with(|c: char| c.is_ascii_digit()));
                }
                ends.into_iter().any(|length| {
                    let fits = self.fits(piece + 1, start + length);
                    if fits {
                        self.found[piece] = &self.subject[start..start + length];
                    }
                    fits
                })
            }
        };
        self.failed[key] = !fits;
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_class_and_group() {
        for (pattern, name, class, group) in [
            ("{class}_{number}", "test/bart_simpson_12.jpg", "bart_simpson", None),
            ("{class}_{number}", "abraham_grampa_simpson_0.jpg", "abraham_grampa_simpson", None),
            ("{class}.{number}", "cat.0.jpg", "cat", None),
            ("{group}-{class}-{any}", "p7-nevus-left-2.png", "nevus-left", Some("p7")),
            ("{class}/{group}/{any}", "deep/cats/scene 4/a.jpg", "cats", Some("scene 4")),
            ("{number} {class}", "0012 größe.jpg", "größe", None),
            ("{class}{number}", "blue12.jpg", "blue", None),
            ("{class}{number}", "a1b23.jpg", "a1b", None),
        ] {
            let parts = pattern.parse::<NamePattern>().unwrap().read(name);
            assert_eq!(parts, Some(NameParts { class, group }), "{pattern} on {name}");
        }
    }

    #[test]
    fn a_name_that_does_not_fit_gives_nothing() {
        for (pattern, name) in [
            ("{class}_{number}", "bart_simpson.jpg"),
            ("{class}_{number}", "_12.jpg"),
            ("{class}/{any}", "a.jpg"),
            ("{class}{class_}", "a.jpg"),
        ] {
            let read = pattern.parse::<NamePattern>().ok().and_then(|pattern| pattern.read(name).map(|_| ()));
            assert_eq!(read, None, "{pattern} on {name}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern: NamePattern = "{any}{any}{any}{any}{any}{any}{class}!".parse().unwrap();
        assert_eq!(pattern.read(&"a".repeat(250)), None);
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for (text, message) in [
            (
                "{klass}_{number}",
                "the pattern \"{klass}_{number}\" has a field \"{klass}\"; the fields are {class}, {group}, {number} and {any}",
            ),
            ("{class", "the pattern \"{class\" opens a brace and does not close it"),
            ("{number}", "the pattern \"{number}\" has 0 times {class}"),
            ("{class}{class}", "the pattern \"{class}{class}\" has 2 times {class}"),
        ] {
            assert_eq!(text.parse::<NamePattern>().unwrap_err().to_string(), message);
        }
    }
}

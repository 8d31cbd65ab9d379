//! The name of a file on the hub.

use std::fmt;
use std::str::FromStr;

use crate::HubError;

/// How an address begins.
const SCHEME: &str = "hf:";
/// What is taken where none is named.
const MAIN: &str = "main";
/// Longer addresses are refused.
const LONGEST: usize = 1024;

/// A file of a repository of models: `hf:ORG/NAME[@REVISION]/FILE`.
///
/// None of its parts leads out of a folder: they become parts of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubFile {
    repository: String,
    revision: String,
    path: String,
}

impl HubFile {
    /// Whether a text is meant as an address.
    pub fn is_address(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// `ORG/NAME`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// A branch, tag or commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The file in the repository; its parts are separated by `/`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for HubFile {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let wrong = |why: &str| HubError::Address { address: text.to_owned(), why: why.to_owned() };
        if text.len() > LONGEST {
            return Err(wrong("it is too long"));
        }
        let rest = text.strip_prefix(SCHEME).map(|rest| rest.strip_prefix("//").unwrap_or(rest));
        let mut parts = rest.unwrap_or(text).splitn(3, '/');
        let (Some(organisation), Some(name), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it names no organisation, repository and file"));
        };
        let (name, revision) = name.split_once('@').unwrap_or((name, MAIN));
        let named = [organisation, name, revision].into_iter().chain(path.split('/'));
        for part in named {
            if !is_plain(part) {
                return Err(wrong(&format!("{part:?} is no name of a part of it")));
            }
        }
        if organisation.contains("--") || name.contains("--") {
            return Err(wrong("names of the hub have no two hyphens in a row"));
        }
        Ok(Self { repository: format!("{organisation}/{name}"), revision: revision.to_owned(), path: path.to_owned() })
    }
}

impl fmt::Display for HubFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = if self.revision == MAIN { String::new() } else { format!("@{}", self.revision) };
        write!(f, "{SCHEME}{}{revision}/{}", self.repository, self.path)
    }
}

/// Whether a text can be one part of a path, on every system, and of an URL as it stands but for spaces and the like.
pub(crate) fn is_plain(part: &str) -> bool {
    let is_forbidden = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    !part.is_empty()
        && part.len() <= 255
        && !part.starts_with('.')
        && !part.ends_with(['.', ' '])
        && !part.contains(is_forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, repository, revision, path) in [
            ("hf:timm/resnet18.a1_in1k/model.safetensors", "timm/resnet18.a1_in1k", "main", "model.safetensors"),
            ("hf://timm/r/a/b c.pth", "timm/r", "main", "a/b c.pth"),
            ("hf:timm/r@v1.0/a", "timm/r", "v1.0", "a"),
        ] {
            let file: HubFile = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((file.repository(), file.revision(), file.path()), (repository, revision, path));
            assert_eq!(file.to_string().parse::<HubFile>().expect("its own text"), file);
        }
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_refused() {
        for text in [
            "hf:",
            "hf:timm",
            "hf:timm/r",
            "hf:timm/r/",
            "hf:/r/a",
            "hf:timm/r@/a",
            "hf:../r/a",
            "hf:timm/../a",
            "hf:timm/r/../a",
            "hf:timm/r//a",
            "hf:timm/r/a/..",
            "hf:timm/r@../a",
            r"hf:timm/r/..\a",
            "hf:timm/r/C:a",
            "hf:timm/r/.git",
            "hf:a--b/r/a",
            "hf:timm/r/a\n",
        ] {
            assert!(matches!(text.parse::<HubFile>(), Err(HubError::Address { .. })), "{text:?}");
        }
        assert!(format!("hf:a/b/{}", "c".repeat(2000)).parse::<HubFile>().is_err());
    }
}

//! Names that claim another format.

use avizor_base::Severity;

use super::Check;

pub(super) const CHECK: Check = Check {
    kind: "wrong_extension",
    severity: Severity::Info,
    why: "programs that trust names refuse or misread these files; avizor reads them by content",
    advice: "rename them",
    find: |material| {
        material.pictures(|row, seen| {
            let is_usual = |name| seen.facts.format.extensions().contains(&extension(name).as_str());
            material.index.is_named(row) && !is_usual(material.index.name(row))
        })
    },
};

/// Lower case, of the last part of a name; empty where there is none.
fn extension(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_lowercase())
}

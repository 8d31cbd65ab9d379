//! The name that was probably meant.

/// The most similar name, if one is similar enough that it may have been meant.
///
/// Similarity is Jaro and Winkler's without regard to case, at least 0.8; the first of equals wins.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in names {
        let similarity = strsim::jaro_winkler(&wanted, &candidate.to_lowercase());
        if similarity >= 0.8 && best.is_none_or(|(most, _)| similarity > most) {
            best = Some((similarity, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

/// Words that help whoever wrote a name that there is not: the nearest of those that there are, or all of them.
pub fn names_help<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, names.clone()) {
        Some(nearest) => format!("the nearest name is `{nearest}`"),
        None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let names = ["bart_simpson", "lisa_simpson", "moe_szyslak"];
        assert_eq!(nearest("bart_simson", names).as_deref(), Some("bart_simpson"));
        assert_eq!(nearest("Moe_Szyslak", names).as_deref(), Some("moe_szyslak"));
        assert_eq!(nearest("zebra", names), None);
    }
}

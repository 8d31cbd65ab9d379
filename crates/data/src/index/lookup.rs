//! What a table says of pictures that are at hand already, as for prediction.

use std::path::Path;

use super::error::IndexError;
use super::ignored::Mentioned;
use super::raw::MetadataColumn;
use super::records::text;
use super::table::{Head, Keys, Rule};
use super::texts::Texts;

/// Columns of a table for some pictures.
#[derive(Clone, Debug)]
pub struct FoundMetadata {
    /// In the order asked for; a text a picture, empty where the table says nothing.
    pub columns: Vec<MetadataColumn>,
    /// Pictures that no row names.
    pub without_row: Mentioned,
}

/// Looks up columns of a table for some pictures, named as they lie. Which column names the pictures, and how, is found by
/// looking; of several rows for one picture the first counts.
///
/// # Errors
/// A table that cannot be read, a column that it does not have, a table that names none of the pictures.
pub fn find_metadata(table: &Path, pictures: &Texts, columns: &[String]) -> Result<FoundMetadata, IndexError> {
    let head = Head::read(table)?;
    let columns = columns.iter().map(|name| Ok((name, head.column(name)?))).collect::<Result<Vec<_>, IndexError>>()?;
    let (column, keys) = naming_column(&head, pictures)?.ok_or_else(|| IndexError::NoRowOf {
        table: table.to_owned(),
        example: pictures.iter().next().unwrap_or_default().to_owned(),
    })?;
    let mut found: Vec<Option<Vec<String>>> = vec![None; pictures.len()];
    head.for_each_row(|row| {
        if let Some(picture) = keys.find(&text(&row[column]), "") {
            let values = || columns.iter().map(|&(_, column)| text(&row[column])).collect();
            found[picture as usize].get_or_insert_with(values);
        }
    })?;
    let mut without_row = Mentioned::default();
    let missing = pictures.iter().zip(&found).filter(|(_, found)| found.is_none());
    missing.for_each(|(name, _)| without_row.add(name));
    let column = |(at, &(name, _)): (usize, &(&String, usize))| {
        let values = found.iter().map(|row| row.as_ref().map_or("", |row| row[at].as_str())).collect();
        MetadataColumn { name: name.clone(), values }
    };
    Ok(FoundMetadata { columns: columns.iter().enumerate().map(column).collect(), without_row })
}

/// The column whose rows name most of the pictures, and how; the first of equals. All rows are looked at, for pictures that are
/// asked about may be few of many.
fn naming_column<'a>(head: &Head, pictures: &'a Texts) -> Result<Option<(usize, Keys<'a>)>, IndexError> {
    let rules = Rule::ALL.map(|rule| Keys::new(rule, pictures));
    let mut hits = vec![[0_u64; Rule::ALL.len()]; head.names.len()];
    head.for_each_row(|row| {
        for (field, hits) in row.iter().map(text).zip(&mut hits) {
            for (keys, hits) in rules.iter().zip(hits) {
                *hits += u64::from(keys.find(&field, "").is_some());
            }
        }
    })?;
    let mut best = (0, None);
    for (at, rule) in Rule::ALL.into_iter().enumerate() {
        for (column, hits) in hits.iter().enumerate() {
            if hits[at] > best.0 {
                best = (hits[at], Some((column, rule)));
            }
        }
    }
    Ok(best.1.map(|(column, rule)| (column, Keys::new(rule, pictures))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_path_file_name_or_stem() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("t.csv");
        let rows = "id,age,sex\nx/a,63,f\nb,70,m\nb,1,f\nc, ,m\n";
        let pictures: Texts = ["new/b.jpg", "./new/a.jpg", "d.jpg"].into_iter().collect();
        for (suffix, folder) in [("", ""), (".jpg", ""), (".jpg", "new/")] {
            let rows = rows.replace(",63", &format!("{suffix},63")).replace("b,", &format!("{folder}b{suffix},"));
            std::fs::write(&table, rows).unwrap();
            let found = find_metadata(&table, &pictures, &["sex".to_owned(), "age".to_owned()]).unwrap();
            let texts = |column: usize| (0..3).map(|row| found.columns[column].values.get(row)).collect::<Vec<_>>();
            assert_eq!((texts(0), texts(1)), (vec!["m", "f", ""], vec!["70", "63", ""]), "{suffix} {folder}");
            assert_eq!((found.without_row.count, found.without_row.names), (1, vec!["d.jpg".to_owned()]));
        }
        let error = find_metadata(&table, &pictures, &["gender".to_owned()]).unwrap_err().to_string();
        assert!(error.ends_with("t.csv has no column \"gender\""), "{error}");
        let others: Texts = ["z.jpg"].into_iter().collect();
        let error = find_metadata(&table, &others, &["age".to_owned()]).unwrap_err().to_string();
        assert!(error.ends_with("names one of the pictures, such as z.jpg"), "{error}");
    }
}

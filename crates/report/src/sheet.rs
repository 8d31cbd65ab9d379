//! A sheet of pictures: rows of versions of one picture, with what was done to them.

use askama::Template;

use crate::base64::data_uri;
use crate::error::ReportError;
use crate::name;

/// What a sheet shows.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// What the pictures are called.
    pub name: String,
    /// What is shown, in a line.
    pub line: String,
    /// What is done to the pictures, in order, as a recipe would write it.
    pub steps: Vec<String>,
    /// What else is to be known, in sentences.
    pub notes: Vec<String>,
    /// Headings of the versions.
    pub columns: Vec<String>,
    /// The pictures.
    pub rows: Vec<SheetRow>,
    /// Whether single pixels are to be seen, because there are few of them.
    pub shows_pixels: bool,
}

/// Versions of one picture.
#[derive(Clone, Debug)]
pub struct SheetRow {
    /// Its class.
    pub class: String,
    /// Its file.
    pub sample: String,
    /// Each version as a PNG file, one for each column.
    pub pictures: Vec<Vec<u8>>,
}

#[derive(Template)]
#[template(path = "sheet.html")]
struct Page<'a> {
    sheet: &'a Sheet,
    name: String,
    rows: Vec<Row>,
    style: &'static str,
}

struct Row {
    class: String,
    sample: String,
    cells: Vec<Cell>,
}

struct Cell {
    uri: String,
    alt: String,
}

pub(crate) fn draw(sheet: &Sheet) -> Result<String, ReportError> {
    let row = |row: &SheetRow| {
        let (class, sample) = (name::shown(&row.class), name::shown(&row.sample));
        let cell = |(png, column): (&Vec<u8>, &String)| Cell {
            uri: data_uri("image/png", png),
            alt: format!("{class}, {column}"),
        };
        Row { cells: row.pictures.iter().zip(&sheet.columns).map(cell).collect(), class, sample }
    };
    let page = Page {
        sheet,
        name: name::shown(&sheet.name),
        rows: sheet.rows.iter().map(row).collect(),
        style: include_str!("../templates/style.css"),
    };
    Ok(page.render()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_in_the_page_and_names_are_escaped() {
        let row = |class: &str, byte| SheetRow {
            class: class.to_owned(),
            sample: format!("{class}/1_<b>.png"),
            pictures: vec![vec![byte], vec![byte + 1]],
        };
        let sheet = Sheet {
            name: "<photos>".to_owned(),
            line: "2 of 9 pictures".to_owned(),
            steps: vec!["{ op = \"horizontal_flip\", p = 0.5 }".to_owned()],
            notes: vec!["Nothing else.".to_owned()],
            columns: vec!["clean".to_owned(), "epoch 1".to_owned()],
            rows: vec![row("cat", 1), row("d\u{1b}g", 3)],
            shows_pixels: true,
        };
        let page = draw(&sheet).expect("it is drawn");
        for wanted in [
            "&#60;photos&#62;",
            "2 of 9 pictures",
            "op = &#34;horizontal_flip&#34;, p = 0.5",
            "Nothing else.",
            "alt=\"cat, epoch 1\"",
            "d\u{fffd}g",
            "1_<wbr>&#60;b&#62;.png",
            "data:image/png;base64,AQ==",
            "data:image/png;base64,BA==",
            "class=\"pixels\"",
        ] {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
        assert!(!page.contains("<photos>") && !page.contains("http"));
        assert!(!draw(&Sheet { shows_pixels: false, ..sheet }).expect("it is drawn").contains("class=\"pixels\""));
    }
}

//! From a run folder to a page.
//!
//! [`write()`] reads what a run has stored and draws `report.html` (one file that opens from disk: no network, no script),
//! `report.md` and `figures/*.svg`. It needs neither the model nor the pictures, so a report can be drawn again at any
//! time, from any run, finished or not. Knows nothing of networks and loaders.
//!
//! The page begins with the verdict in words, goes on with what speaks against trusting it, and only then shows
//! numbers, charts and pictures.

mod audit_page;
mod base64;
mod chart;
mod comparison;
mod confusion;
mod error;
mod finding;
mod markdown;
mod name;
mod number;
mod page;
mod sheet;
mod stored;
mod view;

use std::path::{Path, PathBuf};

use avizor_store::{Comparison, ComparisonFolder, RunFolder};

pub use audit_page::{AuditSource, SIDE as SMALL_SIDE};
pub use error::ReportError;
pub use sheet::{Sheet, SheetRow};

/// Draws the report of a run into its folder and gives the path of `report.html`.
///
/// The page is written last: where it is, its figures are too. Files that a run may lack (metrics, history, audit,
/// gallery and so on) leave out their part of the page.
///
/// # Errors
/// `run.json` is not there; a file is there but damaged; the folder cannot be written.
pub fn write(run: &RunFolder) -> Result<PathBuf, ReportError> {
    let stored = stored::Stored::read(run)?;
    let view = view::View::new(&stored);
    for figure in view.figures() {
        write_file(&run.figures_path().join(figure.file), figure.standalone.as_bytes())?;
    }
    write_file(&run.report_markdown_path(), markdown::draw(&view).as_bytes())?;
    let html = run.report_html_path();
    write_file(&html, page::draw(&view)?.as_bytes())?;
    Ok(html)
}

/// Draws the page of a comparison into its folder and gives its path. It links to the reports of its runs.
///
/// # Errors
/// The folder cannot be written.
pub fn write_comparison(folder: &ComparisonFolder, comparison: &Comparison) -> Result<PathBuf, ReportError> {
    let (page, figure) = comparison::draw(comparison)?;
    if let Some(figure) = figure {
        write_file(&folder.path().join("figures").join(figure.file), figure.standalone.as_bytes())?;
    }
    let html = folder.report_html_path();
    write_file(&html, page.as_bytes())?;
    Ok(html)
}

/// Draws a sheet of pictures as one page that opens from disk.
///
/// # Errors
/// The file cannot be written.
pub fn write_sheet(path: &Path, sheet: &Sheet) -> Result<(), ReportError> {
    write_file(path, sheet::draw(sheet)?.as_bytes())
}

/// Draws the page of an audit into a file.
///
/// # Errors
/// The file cannot be written.
pub fn write_audit(path: &Path, source: &AuditSource<'_>) -> Result<(), ReportError> {
    write_file(path, audit_page::draw(source)?.as_bytes())
}

/// Draws the loss of a range test over its rates into a folder, and gives the chart's path.
///
/// # Errors
/// The folder cannot be written.
pub fn write_rate_test(folder: &RunFolder, points: &[(f64, f64)], suggestion: f64) -> Result<PathBuf, ReportError> {
    let path = folder.path().join("lr.svg");
    if let Some(figure) = chart::rate_test(points, suggestion) {
        write_file(&path, figure.standalone.as_bytes())?;
    }
    Ok(path)
}

/// What a comparison says, in sentences.
pub fn comparison_sentences(comparison: &Comparison) -> Vec<String> {
    comparison::sentences(comparison)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let failed = |source| ReportError::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    avizor_base::atomic_file::write(path, bytes).map_err(failed)
}

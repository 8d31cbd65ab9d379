//! `report.html`: the template filled in.

use askama::Template;

use crate::error::ReportError;
use crate::view::View;

/// Every text is escaped by the template engine; only charts, which escape their own, go in as they are.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    view: &'a View,
    style: &'static str,
}

pub(crate) fn draw(view: &View) -> Result<String, ReportError> {
    Ok(Page { view, style: include_str!("../templates/style.css") }.render()?)
}

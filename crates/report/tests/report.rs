//! The report as its reader gets it: what stands in it, what is left out, what it never lets through.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod made;

use std::fs;
use std::path::Path;

use avizor_base::Note;
use avizor_report::{ReportError, write};
use avizor_store::RunFolder;
use made::Made;

fn small<'a>(classes: &[&str]) -> Made<'a> {
    let classes = classes.iter().map(|&name| name.to_owned()).collect();
    Made { name: "photos", classes, pictures: 18, skill: 0.85, epochs: 4, resamples: 100 }
}

fn html(run: &RunFolder) -> String {
    fs::read_to_string(write(run).unwrap()).unwrap()
}

/// What stands between two marks, marks left out, however often.
fn without(text: &str, from: &str, to: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        left.push_str(before);
        left.push('…');
        rest = after.split_once(to).map_or("", |(_, after)| after);
    }
    left + rest
}

#[test]
fn the_page_and_the_markdown_read_like_this() {
    let parent = tempfile::tempdir().unwrap();
    let run = small(&["cat", "dog", "owl", "yak"]).write(parent.path());
    let page = html(&run);
    let page =
        without(&without(&without(&page, "<style>", "</style>"), "<svg ", "</svg>"), "data:image/png;base64,", "\"");
    insta::assert_snapshot!("page", page);
    insta::assert_snapshot!("markdown", fs::read_to_string(run.report_markdown_path()).unwrap());
    let mut figures: Vec<_> = fs::read_dir(run.figures_path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    figures.sort();
    assert_eq!(
        figures,
        [
            "accuracy.svg",
            "balance.svg",
            "classes.svg",
            "confusion.svg",
            "confusion_normalised.svg",
            "f1.svg",
            "interval.svg",
            "learning_rate.svg",
            "loss.svg",
            "macro_f1.svg",
        ]
    );
}

/// How a run began is for checking; what may spoil its numbers asks for care.
#[test]
fn notes_are_as_grave_as_they_are() {
    let parent = tempfile::tempdir().unwrap();
    let run = small(&["cat", "dog"]).write(parent.path());
    let mut info = run.read_info().unwrap();
    let note = |kind: &str| Note { kind: kind.to_owned(), text: format!("a note on {}", kind.replace('_', " ")) };
    info.notes = ["left_out", "source", "weights", "features"].map(note).to_vec();
    run.write_info(&info).unwrap();
    write(&run).unwrap();
    let markdown = fs::read_to_string(run.report_markdown_path()).unwrap();
    for (what, tone) in [("left out", "Care"), ("source", "Fine"), ("weights", "Fine"), ("features", "Fine")] {
        let line = markdown.lines().find(|line| line.contains(&format!("note on {what}"))).unwrap();
        assert!(line.contains(tone), "{line}");
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let parent = tempfile::tempdir().unwrap();
    let run = small(&["cat", "dog", "owl"]).write(parent.path());
    assert!(html(&run) == html(&run));
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let parent = tempfile::tempdir().unwrap();
    let page = html(&small(&["cat", "dog"]).write(parent.path()));
    for outside in ["<script", "<link", "<iframe", "@import", "url(h", "url(d", "src=\"h", "src=\"/", "javascript:"] {
        assert!(!page.contains(outside), "the page holds {outside}");
    }
    let addresses: Vec<_> = page.match_indices("http").map(|(at, _)| &page[at..(at + 26).min(page.len())]).collect();
    assert!(addresses.iter().all(|address| *address == "http://www.w3.org/2000/svg"), "{addresses:?}");
}

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "it's & \"quoted\"",
    "שלום\u{202e}abc",
    "🦊 fox 👨‍👩‍👧",
    "$x^2$ | *bold* `code` [a](b)",
    "nul\u{0}and\u{1b}[31mred",
    "a_very_long_name_that_goes_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on",
];

#[test]
fn hostile_names_are_only_ever_text() {
    let parent = tempfile::tempdir().unwrap();
    let run = small(&HOSTILE).write(parent.path());
    let page = html(&run);
    let markdown = fs::read_to_string(run.report_markdown_path()).unwrap();
    let mut texts = vec![("page".to_owned(), page), ("markdown".to_owned(), markdown)];
    for entry in fs::read_dir(run.figures_path()).unwrap() {
        let path = entry.unwrap().path();
        let svg = fs::read_to_string(&path).unwrap();
        assert_tags_match(&path, &svg);
        texts.push((path.display().to_string(), svg));
    }
    for (name, text) in &texts {
        for hostile in ["<script", "<img src=x", "\u{0}", "\u{1b}"] {
            assert!(!text.contains(hostile), "{name} holds {hostile:?}");
        }
    }
    let (_, page) = &texts[0];
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "the name is shown");
    let table = texts[1].1.lines().filter(|line| line.contains("bold")).find(|line| line.starts_with("| ")).unwrap();
    let cells = table.replace("\\|", "").matches('|').count();
    assert_eq!(cells, 11, "a bar in a name makes no cell: {table}");
    let bars = texts.iter().find(|(name, _)| name.ends_with("/f1.svg")).unwrap();
    assert!(bars.1.contains("$x^2$ | *bold*"), "a dollar in a name makes no formula");
}

/// Every tag that opens closes, in order: the least that an XML reader asks.
fn assert_tags_match(path: &Path, svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let tag = tag.split_once('>').unwrap().0;
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{}", path.display());
        } else if !tag.ends_with('/') && !tag.starts_with('!') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{}: {open:?}", path.display());
}

#[test]
fn whatever_is_missing_is_left_out() {
    let parent = tempfile::tempdir().unwrap();
    let run = small(&["cat", "dog", "owl"]).write(parent.path());
    for (file, part) in [
        ("gallery", "Its most confident errors"),
        ("audit.json", "What the audit found"),
        ("balance.csv", "before and after balancing"),
        ("samples.csv", "Pictures a class"),
        ("history.csv", "How it learnt"),
        ("recipe.toml", "The resolved recipe"),
        ("metrics.json", "Class by class"),
        ("predictions", ""),
    ] {
        assert!(html(&run).contains(part), "{part}");
        let path = run.path().join(file);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
        let page = html(&run);
        assert!(part.is_empty() || !page.contains(part), "{part} without {file}");
    }
    assert!(html(&run).contains("This run has not been evaluated"));
    fs::remove_file(run.info_path()).unwrap();
    let error = write(&run).unwrap_err().to_string();
    assert!(error.ends_with("run.json is not there"), "{error}");
}

#[test]
fn a_picture_that_is_gone_leaves_its_words() {
    let parent = tempfile::tempdir().unwrap();
    let run = small(&["cat", "dog"]).write(parent.path());
    fs::remove_file(run.gallery_path().join("000.png")).unwrap();
    assert!(html(&run).contains("picture is gone"));
}

#[test]
fn damage_is_an_error_that_names_the_file_and_leaves_the_old_page() {
    let parent = tempfile::tempdir().unwrap();
    let run = small(&["cat", "dog"]).write(parent.path());
    let page = html(&run);
    let whole = fs::read(run.metrics_path()).unwrap();
    let other_format = String::from_utf8(whole.clone()).unwrap().replacen("\"format\": 1", "\"format\": 2", 1);
    let mut damaged: Vec<Vec<u8>> =
        [0, 1, 20, whole.len() / 2, whole.len() - 3].map(|cut| whole[..cut].to_vec()).into();
    damaged.extend([b"[]".to_vec(), b"\xff\xfe".to_vec(), other_format.into_bytes()]);
    for bytes in damaged {
        fs::write(run.metrics_path(), &bytes).unwrap();
        let error = write(&run).unwrap_err();
        assert!(matches!(error, ReportError::Store(avizor_store::StoreError::Json { .. })), "{error}");
        assert!(error.to_string().contains("metrics.json is not what avizor writes there: "), "{error}");
        assert_eq!(fs::read_to_string(run.report_html_path()).unwrap(), page);
    }
}

//! `avizor data preview`: training pictures as the network sees them.

use crate::sandbox::{QUICK, Sandbox, files, quick_train};

const FLIPS: &str =
    "transforms.train=[{ op = \"horizontal_flip\", p = 0.5 }, { op = \"gaussian_noise\", sigma = 0.2 }]";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 20), ("green", 20), ("red_1", 20)]);
    sandbox
}

fn preview<'a>(more: &[&'a str]) -> Vec<&'a str> {
    // Without the number of threads.
    [&["data", "preview", "photos"], &QUICK[..QUICK.len() - 2], more].concat()
}

/// The rows of a sheet: file name, and each picture.
fn rows(page: &str) -> Vec<(String, Vec<&str>)> {
    let rows = page.split("<tr><th scope=\"row\">").skip(1);
    rows.map(|row| {
        let name = row.split("<span class=\"file\"><bdi>").nth(1).unwrap().split("</bdi>").next().unwrap();
        (name.replace("<wbr>", ""), row.split("src=\"").skip(1).map(|uri| uri.split('"').next().unwrap()).collect())
    })
    .collect()
}

#[test]
fn a_sheet_shows_training_pictures_of_every_class_changed_anew() {
    let sandbox = sandbox();
    let said = sandbox.succeed(&preview(&["--set", FLIPS, "--pictures", "9", "--versions", "4"]));
    assert!(said.contains("photos: 9 of 42 training pictures of 3 classes, at 8 × 8 pixels (seed 42)"), "{said}");
    assert!(said.contains("  { op = \"gaussian_noise\", mean = 0.0, sigma = 0.2, p = 1.0 }"), "{said}");
    assert!(said.ends_with("sheet: preview.html\n"), "{said}");
    let page = std::fs::read_to_string(sandbox.path("preview.html")).unwrap();
    let rows = rows(&page);
    assert_eq!(rows.len(), 9);
    for class in ["blue", "green", "red_1"] {
        assert_eq!(rows.iter().filter(|(name, _)| name.starts_with(&format!("{class}/"))).count(), 3, "{class}");
    }
    for (name, pictures) in &rows {
        let mut distinct = pictures.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((pictures.len(), distinct.len()), (5, 5), "{name}: noise never comes twice");
    }
    // The same pictures are in the training part of a run.
    sandbox.succeed(&quick_train("photos", &["--set", FLIPS]));
    let samples = std::fs::read_to_string(sandbox.path(&sandbox.the_run()).join("samples.csv")).unwrap();
    for (name, _) in &rows {
        let line = samples.lines().find(|line| line.starts_with(&format!("{name},"))).unwrap();
        assert!(line.contains(",train,"), "{line}");
    }
}

#[test]
fn the_seed_decides_and_threads_do_not() {
    let sandbox = sandbox();
    let page = |more: &[&str]| {
        sandbox.succeed(&preview(&[&["--set", FLIPS, "--out", "sheet.html"], more].concat()));
        std::fs::read_to_string(sandbox.path("sheet.html")).unwrap()
    };
    let first = page(&[]);
    assert_eq!(first, page(&["--threads", "1"]), "one thread");
    assert_ne!(rows(&first), rows(&page(&["--seed", "7"])));
}

#[test]
fn without_changes_it_says_so() {
    let sandbox = sandbox();
    let said = sandbox.run(&preview(&["--pictures", "3"]));
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("Training sees pictures as they are: transforms.train is empty."), "{}", said.out);
    assert!(said.err.contains("hint: see some changes by --set transforms.train=a2"), "{}", said.err);
    let page = std::fs::read_to_string(sandbox.path("preview.html")).unwrap();
    assert!(rows(&page).iter().all(|(_, pictures)| pictures.len() == 1));
}

#[test]
fn only_as_many_versions_as_training_makes() {
    let sandbox = sandbox();
    let frozen = ["--set", "model.freeze=backbone", "--set", "train.views=2", "--set", FLIPS];
    let said = sandbox.succeed(&preview(&[&frozen[..], &["--set", "train.mixup=0", "--pictures", "2"]].concat()));
    assert!(said.contains("epochs take 2 changed versions of each picture in turn"), "{said}");
    let page = std::fs::read_to_string(sandbox.path("preview.html")).unwrap();
    assert!(rows(&page).iter().all(|(_, pictures)| pictures.len() == 3));
}

#[test]
fn mistakes_are_told_and_leave_nothing_behind() {
    let cases: [(&[&str], i32, &str); 5] = [
        (&["data", "preview", "photos", "--out", "sheet.png"], 2, "help: give it a name that ends in .html"),
        (&["data", "preview", "holiday"], 1, "error: holiday does not exist"),
        (&["data", "preview", "photos", "--set", "transforms.train=a7"], 2, "there is no set of transforms \"a7\""),
        (&["data", "preview", "photos", "--pictures", "0"], 2, "must be a whole number from 1 to 1000"),
        (
            &["data", "preview", "photos", "--out", "photos/blue/blue_0.png/x.html"],
            1,
            "blue_0.png/x.html cannot be written",
        ),
    ];
    for (arguments, code, says) in cases {
        let sandbox = sandbox();
        let before = files(&sandbox.path("."));
        let said = sandbox.run(arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}\n{}", said.err);
        assert!(said.err.contains(says), "{arguments:?}\n{}", said.err);
        assert_eq!(files(&sandbox.path(".")), before, "{arguments:?}");
    }
}

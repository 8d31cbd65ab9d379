//! Classes of unequal size: small ones filled up with copies, and weights in the loss.

use std::collections::BTreeMap;
use std::fs;

use crate::sandbox::{Sandbox, quick_train};

const NOISE: &str = "balance.fill_transforms=[{ op = \"gaussian_noise\", sigma = 0.1 }]";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("ant", 40), ("bee", 10), ("cat", 14)]);
    sandbox
}

/// Trains into a folder of its own and gives the run.
fn train(sandbox: &Sandbox, runs: &str, options: &[&str]) -> (String, String) {
    let options: Vec<&str> = options.iter().flat_map(|option| ["--set", option]).collect();
    let said = sandbox.run(&quick_train("photos", &[&options[..], &["--runs", runs]].concat()));
    assert_eq!(said.code, Some(0), "{}", said.err);
    let run = fs::read_dir(sandbox.path(runs)).unwrap().next().unwrap().unwrap().file_name();
    (format!("{runs}/{}", run.to_str().unwrap()), said.err)
}

fn read(sandbox: &Sandbox, run: &str, file: &str) -> String {
    fs::read_to_string(sandbox.path(&format!("{run}/{file}"))).unwrap()
}

#[test]
fn only_the_training_part_is_filled_and_the_run_says_so() {
    let sandbox = sandbox();
    let (plain, _) = train(&sandbox, "plain", &[]);
    let (run, said) = train(&sandbox, "filled", &["balance.fill=20", NOISE]);

    // The parts are those of a run without copies, and what is evaluated are their pictures, each once.
    let samples = read(&sandbox, &run, "samples.csv");
    assert_eq!(samples, read(&sandbox, &plain, "samples.csv"));
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in samples.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        *counts.entry((cells[2].to_owned(), cells[1].to_owned())).or_default() += 1;
    }
    for part in ["val", "test"] {
        let of_part: usize = counts.iter().filter(|((of, _), _)| of == part).map(|(_, count)| count).sum();
        let names = |run: &str| {
            let table = read(&sandbox, run, &format!("predictions/{part}.csv"));
            table.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((names(&run).len(), names(&run)), (of_part, names(&plain)), "{part}");
    }

    let train_of = |class: &str| counts[&("train".to_owned(), class.to_owned())];
    let (ants, bees, cats): (usize, usize, usize) = (train_of("ant"), train_of("bee"), train_of("cat"));
    assert!(ants > 20 && bees < 20 && cats < 20);
    let table = format!("class,before,after\nant,{ants},{ants}.0\nbee,{bees},20.0\ncat,{cats},20.0\n");
    assert_eq!(read(&sandbox, &run, "balance.csv"), table);
    let copies = 40 - bees - cats;
    let note =
        format!("2 of 3 classes are filled up to 20 training pictures with {copies} changed copies of their own");
    assert!(said.contains(&note), "{said}");
    assert!(read(&sandbox, &run, "run.json").contains(&note));
    let page = read(&sandbox, &run, "report.html");
    assert!(page.contains("Classes before and after balancing") && page.contains(&note), "{page}");
    assert!(!sandbox.path(&format!("{plain}/balance.csv")).exists());

    // An epoch has as many steps of 8 pictures as the filled part asks for.
    let events = read(&sandbox, &run, "events.jsonl");
    assert!(events.contains(&format!("\"steps_per_epoch\":{},", (ants + 40).div_ceil(8))), "{events}");
    assert!(
        read(&sandbox, &run, "model/model.json").contains(&format!("\"training_pictures\": {}", ants + bees + cats))
    );
}

#[test]
fn copies_are_changed_by_their_own_transforms_or_by_those_of_training() {
    let sandbox = sandbox();
    const FLIP: &str = "transforms.train=[{ op = \"horizontal_flip\", p = 1.0 }]";
    let loss = |runs: &str, options: &[&str]| {
        let (run, _) = train(&sandbox, runs, options);
        let history = read(&sandbox, &run, "history.csv");
        history.lines().nth(1).unwrap().split(',').nth(1).unwrap().parse::<f64>().unwrap()
    };
    let repeated = loss("repeated", &["balance.fill=20", "balance.fill_transforms=[]"]);
    let by_default = loss("default", &["balance.fill=20"]);
    assert_eq!(repeated, by_default, "without any transforms copies are the picture again");
    assert_ne!(repeated, loss("noise", &["balance.fill=20", NOISE]));
    assert_eq!(loss("off", &[NOISE]), loss("none", &[]), "nothing is filled, nothing is changed");
    // Flipped once as a copy and once as a training picture: the picture itself, beside flipped ones.
    let twice = loss("twice", &["balance.fill=20", FLIP]);
    assert_ne!(twice, loss("once", &["balance.fill=20", FLIP, "balance.fill_transforms=[]"]));
}

#[test]
fn classes_are_weighed_by_effective_numbers() {
    let sandbox = sandbox();
    let loss = |runs: &str, options: &[&str]| {
        let (run, _) = train(&sandbox, runs, options);
        read(&sandbox, &run, "history.csv").lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned()
    };
    let effective = "balance.class_weights=effective";
    let plain = loss("plain", &[]);
    assert_ne!(plain, loss("effective", &[effective]));
    assert_eq!(plain, loss("alike", &[effective, "balance.effective_beta=0"]), "weights of 1 change nothing");
    // After filling, an epoch has as many of each class, and so they weigh alike.
    let filled = ["balance.fill=50", NOISE];
    assert_eq!(loss("filled", &filled), loss("both", &[filled[0], filled[1], effective]));
}

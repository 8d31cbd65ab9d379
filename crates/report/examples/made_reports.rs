//! Draws the reports of made runs with 2, 14 and 151 classes into a folder, to be looked at:
//! `cargo run -p avizor-report --example made_reports -- FOLDER`.

#[path = "../tests/made/mod.rs"]
mod made;

use std::io::Write;
use std::path::PathBuf;

use made::Made;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("which folder?")?;
    let pets = ["cat", "dog"].map(str::to_owned).to_vec();
    let simpsons = [
        "abraham_grampa_simpson",
        "apu_nahasapeemapetilon",
        "bart_simpson",
        "charles_montgomery_burns",
        "chief_wiggum",
        "comic_book_guy",
        "edna_krabappel",
        "homer_simpson",
        "kent_brockman",
        "krusty_the_clown",
        "lisa_simpson",
        "marge_simpson",
        "milhouse_van_houten",
        "moe_szyslak",
    ];
    let many: Vec<String> =
        (0..151).map(|i| format!("Pokemon {i:03} {}", ["ivy", "char", "squirt", "cater"][i % 4])).collect();
    for made in [
        Made { name: "pets", classes: pets, pictures: 60, skill: 0.9, epochs: 20, resamples: 500 },
        Made {
            name: "simpsons",
            classes: simpsons.map(str::to_owned).to_vec(),
            pictures: 80,
            skill: 0.85,
            epochs: 30,
            resamples: 500,
        },
        Made { name: "pokemon", classes: many, pictures: 12, skill: 0.7, epochs: 50, resamples: 200 },
    ] {
        let run = made.write(&folder);
        let page = avizor_report::write(&run)?;
        writeln!(std::io::stdout(), "{}", page.display())?;
    }
    Ok(())
}

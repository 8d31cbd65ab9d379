//! What listing takes in memory, measured in a process of its own.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{DataOptions, Index};

/// Pictures that are listed, unless `AVIZOR_LISTED` says how many.
const LISTED: usize = 20_000;
/// What each may take at the highest point: a million then fit into a gigabyte.
const BYTES_EACH: u64 = 1000;
/// Tells the process that it is the one which lists, and what.
const PATH: &str = "AVIZOR_LIST_THIS";

#[test]
fn a_million_pictures_are_listed_in_less_than_a_gigabyte() {
    if let Some(path) = std::env::var_os(PATH) {
        return list(Path::new(&path));
    }
    let asked = std::env::var("AVIZOR_LISTED").ok().map(|count| count.parse().expect("a number"));
    let listed = asked.unwrap_or(LISTED);
    let folder = tempfile::tempdir().unwrap();
    for (what, path) in sources(folder.path(), listed) {
        let mut lister = Command::new(std::env::current_exe().unwrap());
        lister.args(["--exact", "index::memory::a_million_pictures_are_listed_in_less_than_a_gigabyte", "--nocapture"]);
        let output = lister.env(PATH, &path).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{what}: {text}");
        // No system but Linux tells it.
        let Some(numbers) = text.lines().find_map(|line| line.split_once("listed: ")) else { continue };
        let numbers: Vec<u64> = numbers.1.split(' ').map(|number| number.parse().unwrap()).collect();
        let [count, before, peak, took] = numbers[..] else { panic!("{text}") };
        eprintln!(
            "{what}: {count} pictures, {} MiB at most, {} bytes each, {took} ms",
            peak >> 20,
            (peak - before) / count
        );
        assert_eq!(count, listed as u64, "{what}");
        assert!((peak - before) / count < BYTES_EACH, "{what}: {before} bytes before {count} pictures, then {peak}");
    }
}

/// The same empty pictures in folders of a thousand, as a table says, and in a tar.
fn sources(folder: &Path, count: usize) -> [(&'static str, PathBuf); 3] {
    let (photos, table, tar) = (folder.join("photos"), folder.join("photos.csv"), folder.join("photos.tar"));
    let (mut rows, mut archive) = ("file,label,patient\n".to_owned(), Vec::new());
    for number in 0..count {
        let name = format!("class_{}/{:04}/ISIC_{number:07}.jpg", number % 10, number / 10_000);
        let path = photos.join(&name);
        if number % 10_000 < 10 {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        std::fs::write(path, []).unwrap();
        writeln!(rows, "photos/{name},{},p{}", number % 10, number / 4).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_path(&name).unwrap();
        header.set_size(0);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
    }
    archive.extend_from_slice(&[0; 1024]);
    std::fs::write(&table, rows).unwrap();
    std::fs::write(&tar, archive).unwrap();
    [("class folders", photos), ("table", table), ("tar", tar)]
}

/// Lists, and prints how many there were, the most memory that was held before and at all, in bytes, and the milliseconds.
fn list(path: &Path) {
    let mut options = DataOptions::new(path);
    options.table.group = (path.extension().is_some_and(|kind| kind == "csv")).then(|| "patient".to_owned());
    let (before, start) = (most_memory(), std::time::Instant::now());
    let index = Index::read(&options).unwrap();
    let took = start.elapsed().as_millis();
    if let (Some(before), Some(peak)) = (before, most_memory()) {
        println!("listed: {} {before} {peak} {took}", index.len());
    }
}

fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
}

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use avizor_base::Split;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;
use crate::tests_support::noise_png;
use crate::{DataOptions, DecodeOptions, Index, IndexError, Prepared, scan};

/// A tar of some files in their order; a name with `->` is a link.
fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = ::tar::Header::new_gnu();
        header.set_mode(0o644);
        if let Some((name, to)) = name.split_once("->") {
            header.set_entry_type(::tar::EntryType::Symlink);
            header.set_size(0);
            builder.append_link(&mut header, name, to).unwrap();
            continue;
        }
        header.set_size(bytes.len() as u64);
        // As bytes: the library would refuse names that lead out of it.
        if name.len() < 100 {
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        } else {
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

/// A zip by its own layout (APPNOTE 4.3): local headers and contents, then the directory. Every other file is deflated.
fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (at, (name, bytes)) in files.iter().enumerate() {
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
        deflated.write_all(bytes).unwrap();
        let (method, packed) = if at % 2 == 1 { (8u16, deflated.finish().unwrap()) } else { (0, bytes.to_vec()) };
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        let start = zip.len() as u32;
        let mut shared = Vec::new();
        shared.extend([20, 0, 0, 0]);
        shared.extend(method.to_le_bytes());
        shared.extend([0; 4]);
        shared.extend(sum.sum().to_le_bytes());
        shared.extend((packed.len() as u32).to_le_bytes());
        shared.extend((bytes.len() as u32).to_le_bytes());
        shared.extend((name.len() as u16).to_le_bytes());
        shared.extend([0; 2]);
        zip.extend(b"PK\x03\x04");
        zip.extend(&shared);
        zip.extend(name.as_bytes());
        zip.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&shared);
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, count) = (zip.len() as u32, files.len() as u16);
    zip.extend(&directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend(count.to_le_bytes());
    zip.extend(count.to_le_bytes());
    zip.extend((directory.len() as u32).to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0; 2]);
    zip
}

fn kept(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn files_are_read_where_they_lie() {
    let long = format!("./{}/deep.txt", "d".repeat(150));
    let files: [(&str, &[u8]); 6] = [
        ("b/2.txt", b"two"),
        ("a/1.txt", &[7; 5000]),
        (&long, b"long"),
        ("b/2.txt", b"the later one"),
        ("../x", b"out"),
        ("/y", b"out"),
    ];
    for bytes in [tar_of(&files), zip_of(&files)] {
        let (_folder, path) = kept("x.bin", &bytes);
        let archive = Archive::open(&path).unwrap();
        assert_eq!(archive.names().collect::<Vec<_>>(), ["a/1.txt", "b/2.txt", &long[2..]]);
        assert_eq!(archive.passed_over().len(), 2);
        let mut content = Vec::new();
        for (name, wanted) in [("a/1.txt", &[7; 5000][..]), ("b/2.txt", b"the later one"), (&long[2..], b"long")] {
            archive.read(name, 10_000, &mut content).unwrap();
            assert_eq!(content, wanted, "{name}");
        }
        archive.read("a/1.txt", 99, &mut content).unwrap();
        assert_eq!(content.len(), 100);
        assert_eq!(archive.read("c", 9, &mut content).unwrap_err().kind(), io::ErrorKind::NotFound);
        // Cut since it was listed.
        fs::write(&path, &bytes[..45]).unwrap();
        assert!(archive.read("a/1.txt", 10_000, &mut content).is_err());
    }
}

#[test]
fn what_is_no_archive_is_told() {
    let tar = tar_of(&[("a", b"x"), ("b", &[1; 2000])]);
    let zip = zip_of(&[("a", b"x"), ("b", &[1; 2000])]);
    for (bytes, words) in [
        (&b"\x1f\x8b\x08\0\0\0\0\0"[..], "compressed as a whole"),
        (b"not an archive at all", "neither a zip nor a tar"),
        (&tar[..1200], "cannot be read"),
        (&zip[..zip.len() - 30], "cannot be read"),
        (b"PK", "cannot be read"),
    ] {
        let (_folder, path) = kept("x", bytes);
        let error = Archive::open(&path).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(Archive::open(Path::new("nowhere.zip")).is_err());
}

#[test]
fn a_flipped_byte_panics_nowhere() {
    let files: [(&str, &[u8]); 3] = [("a/1.png", &[1; 300]), ("b/2.png", &[2; 300]), ("c/3.png", b"x")];
    for bytes in [tar_of(&files), zip_of(&files)] {
        for at in (0..bytes.len()).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            let (_folder, path) = kept("x", &changed);
            let Ok(archive) = Archive::open(&path) else { continue };
            let mut content = Vec::new();
            for name in archive.names().map(str::to_owned).collect::<Vec<_>>() {
                // An error or other bytes; no more of them than asked for.
                let _ = archive.read(&name, 1000, &mut content);
                assert!(content.len() <= 1001);
            }
        }
    }
}

/// Two classes of four pictures.
fn pictures() -> Vec<(String, Vec<u8>)> {
    (0..8).map(|n| (format!("set/{}/{n}.png", ["a", "b"][n as usize % 2]), noise_png(10, 12, n))).collect()
}

#[test]
fn an_archive_of_class_folders_is_what_it_would_be_unpacked() {
    let mut files = pictures();
    files.push(("set/a/nameless".to_owned(), noise_png(10, 12, 20)));
    files.extend(["set/a/.DS_Store", "__MACOSX/set/a/._1.png", "set/notes.txt"].map(|name| (name.to_owned(), vec![1])));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let plain = tempfile::tempdir().unwrap();
    for (name, bytes) in &files {
        crate::tests_support::write(plain.path(), name, bytes);
    }
    let unpacked = Index::read(&DataOptions::new(plain.path())).unwrap();
    let seen = scan(&unpacked, &DecodeOptions::default(), 2, None, |_| {});
    for (name, bytes) in [("photos.tar", tar_of(&files)), ("photos.zip", zip_of(&files))] {
        let (_folder, path) = kept(name, &bytes);
        let index = Index::read(&DataOptions::new(&path)).unwrap();
        assert_eq!(index.names(), unpacked.names(), "{name}");
        assert_eq!(index.labels(), unpacked.labels());
        assert_eq!(index.len(), 9);
        let packed = scan(&index, &DecodeOptions::default(), 2, None, |_| {});
        assert_eq!(packed, seen, "{name}");
        let size = avizor_base::ImageSize::new(4, 4).unwrap();
        let prepared = |index: Index| {
            Prepared::new(Arc::new(index), avizor_base::Preprocess::new(size), Default::default(), 0)
                .picture(3)
                .unwrap()
        };
        assert_eq!(prepared(index), prepared(unpacked.clone()));
    }
}

#[test]
fn shards_say_classes_beside_the_pictures() {
    let shard = |numbers: std::ops::Range<u32>| {
        let mut files = Vec::new();
        for n in numbers {
            files.push((format!("{n:04}.png"), noise_png(10, 12, n)));
            match n % 3 {
                0 => files.push((format!("{n:04}.cls"), format!("{}\n", n % 2).into_bytes())),
                _ => files.push((
                    format!("{n:04}.json"),
                    format!("{{\"label\":{},\"age\":{n},\"patient\":\"p{n}\"}}", n % 2).into_bytes(),
                )),
            }
        }
        files.push(("lonely.png".to_owned(), noise_png(10, 12, 99)));
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        tar_of(&files)
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("set-train-000.tar"), shard(0..6)).unwrap();
    fs::write(folder.path().join("set-test-000.tar"), shard(6..10)).unwrap();
    let mut options = DataOptions::new(folder.path());
    options.table.metadata = vec!["age".into()];
    options.table.group = Some("patient".into());
    let index = Index::read(&options).unwrap();
    assert_eq!(index.len(), 10);
    assert_eq!(index.classes().names(), ["0", "1"]);
    let row = index.row_of("set-test-000/0007.png").unwrap();
    assert_eq!((index.given(row), index.group(row)), (Some(Split::Test), Some("p7")));
    assert_eq!(index.metadata()[0].values.get(row), "7");
    assert!(
        scan(&index, &DecodeOptions::default(), 2, None, |_| {}).records().iter().all(|record| record.seen.is_ok())
    );
    // One alone has names without its own.
    let alone = Index::read(&DataOptions::new(folder.path().join("set-train-000.tar"))).unwrap();
    assert_eq!((alone.name(0), alone.len()), ("0000.png", 6));
    fs::remove_file(folder.path().join("set-train-000.tar")).unwrap();
    fs::write(folder.path().join("set-test-000.tar"), tar_of(&[("1.png", &noise_png(9, 9, 1))])).unwrap();
    assert!(matches!(Index::read(&DataOptions::new(folder.path())), Err(IndexError::NoShards { archives: 1, .. })));
}

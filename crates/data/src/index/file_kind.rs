//! What a file is, by its name and, where the name says nothing, by its first bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::ignored::IgnoredKind;

/// What a name says about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A picture, or what claims to be one: whether it can be read is found by reading it.
    Picture,
    /// A CSV, TSV or JSON lines table.
    Table,
    /// Nothing of ours.
    Ignored(IgnoredKind),
    /// The first bytes decide.
    Unknown,
}

/// Formats that we read, and those that a person would call a picture: the latter are refused by name when they are
/// decoded, not passed over in silence.
const PICTURES: &[&str] = &[
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "webp", "bmp", "dib", "tif", "tiff", "svg", "svgz", "heic",
    "heif", "avif", "jxl", "jp2", "j2k", "jpx", "ico", "cur", "tga", "psd", "ppm", "pgm", "pbm", "pnm", "pam", "hdr",
    "exr", "dds", "qoi", "pcx", "ff", "icns", "xcf", "raw", "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "eps",
];

/// Names that never hold one picture. Anything else is looked into.
const DOCUMENTS: &[&str] = &[
    "txt",
    "json",
    "xml",
    "yaml",
    "yml",
    "toml",
    "md",
    "rst",
    "html",
    "htm",
    "log",
    "ini",
    "cfg",
    "py",
    "ipynb",
    "m",
    "mat",
    "npy",
    "npz",
    "pkl",
    "pickle",
    "pt",
    "pth",
    "h5",
    "hdf5",
    "onnx",
    "safetensors",
    "xls",
    "xlsx",
    "ods",
    "doc",
    "docx",
    "pdf",
    "zip",
    "tar",
    "gz",
    "tgz",
    "bz2",
    "xz",
    "7z",
    "rar",
    "parquet",
    "arrow",
    "db",
    "sqlite",
    "sh",
    "bat",
    "exe",
    "dll",
    "so",
    "mp4",
    "avi",
    "mov",
    "mkv",
    "webm",
    "mp3",
    "wav",
    "url",
    "lnk",
];

/// Folders and files that operating systems and photo programs leave, in lower case.
const SYSTEM_JUNK: &[&str] =
    &["__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "icon\r"];

pub(super) fn is_system_junk(name: &str) -> bool {
    SYSTEM_JUNK.contains(&name.to_lowercase().as_str())
}

pub(super) fn by_name(name: &str) -> FileKind {
    if name.starts_with('.') {
        return FileKind::Ignored(IgnoredKind::Hidden);
    }
    if is_system_junk(name) {
        return FileKind::Ignored(IgnoredKind::SystemJunk);
    }
    match extension(name).as_str() {
        "csv" | "tsv" | "jsonl" | "ndjson" => FileKind::Table,
        extension if PICTURES.contains(&extension) => FileKind::Picture,
        extension if DOCUMENTS.contains(&extension) => FileKind::Ignored(IgnoredKind::Document),
        _ => FileKind::Unknown,
    }
}

/// Lower case, without the dot; empty where there is none.
pub(super) fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_lowercase())
}

/// The name without its extension, if that is one of a picture: `a.b.jpg` is `a.b`, `v1.2` stays.
pub(super) fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() && PICTURES.contains(&extension(name).as_str()) => stem,
        _ => name,
    }
}

/// Whether a file starts like a picture. One that cannot be opened does not.
pub(super) fn starts_like_a_picture(path: &Path) -> bool {
    let mut start = [0; 16];
    let Ok(mut file) = File::open(path) else { return false };
    let Ok(length) = file.read(&mut start) else { return false };
    is_picture_start(&start[..length])
}

pub(super) fn is_picture_start(start: &[u8]) -> bool {
    const SIGNATURES: &[&[u8]] =
        &[b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
    // "BM" alone begins many texts; the two reserved words of a bitmap's header are zero.
    let bitmap = start.starts_with(b"BM") && start.get(6..10) == Some(&[0; 4]);
    let webp = start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP");
    bitmap || webp || SIGNATURES.iter().any(|signature| start.starts_with(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_real_folders_hold() {
        for (name, kind) in [
            ("a.JPG", FileKind::Picture),
            ("a.b.Png", FileKind::Picture),
            ("drawing.svg", FileKind::Picture),
            ("labels.CSV", FileKind::Table),
            ("notes.txt", FileKind::Ignored(IgnoredKind::Document)),
            ("._a.jpg", FileKind::Ignored(IgnoredKind::Hidden)),
            ("Thumbs.db", FileKind::Ignored(IgnoredKind::SystemJunk)),
            ("b24c.jpg')", FileKind::Unknown),
            ("00000008.png.sb-334870d9-FK2TVI", FileKind::Unknown),
            ("no_extension", FileKind::Unknown),
        ] {
            assert_eq!(by_name(name), kind, "{name}");
        }
    }

    #[test]
    fn a_stem_loses_only_what_names_a_picture() {
        for (name, wanted) in [("a.b.jpg", "a.b"), ("v1.2", "v1.2"), (".jpg", ".jpg"), ("ISIC_1", "ISIC_1")] {
            assert_eq!(stem(name), wanted);
        }
    }

    #[test]
    fn a_text_that_begins_like_a_bitmap_is_none() {
        assert!(!is_picture_start(b"BMW is a maker of cars"));
        assert!(is_picture_start(b"BM\x46\x10\0\0\0\0\0\0\x36\0"));
        assert!(!is_picture_start(b""));
    }
}

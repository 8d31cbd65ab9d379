//! What people keep among pictures that is none, and formats that are not read: named by their first bytes.

use super::DecodeError;

/// What to do with something recognised.
enum Advice {
    /// It is no picture.
    NotAPicture(&'static str),
    /// It is one, of a format that is not read.
    Convert(&'static str),
}
use Advice::{Convert, NotAPicture};

const REMOVE: &str = "remove it";
const FETCH: &str = "fetch the picture again: its address may have moved or may ask for a login";
const DRAWING: &str = "draw it as PNG first, for example with `rsvg-convert in.svg -o out.png`";
const PHONE: &str = "convert it, for example with `heif-convert in.heic out.jpg`";
const MAGICK: &str = "convert it, for example with `magick in out.png`";
const UNPACK: &str = "unpack it first";

/// Place and bytes of a mark, what has it, and what to do. The first that fits is taken.
const MARKS: &[(usize, &[u8], &str, Advice)] = &[
    (4, b"ftypavif", "an AVIF picture", Convert("convert it, for example with `avifdec in.avif out.png`")),
    (4, b"ftypavis", "an AVIF sequence", Convert("convert it, for example with `avifdec in.avif out.png`")),
    (4, b"ftyphei", "a HEIC picture", Convert(PHONE)),
    (4, b"ftyphev", "a HEIC sequence", Convert(PHONE)),
    (4, b"ftypmif1", "a HEIF picture", Convert(PHONE)),
    (4, b"ftypmsf1", "a HEIF sequence", Convert(PHONE)),
    (4, b"ftypcrx", "a raw photo (CR3)", Convert("develop it to JPEG or TIFF first")),
    (4, b"ftyp", "a video", NotAPicture("take single pictures from it first, for example with ffmpeg")),
    (0, b"\xff\x0a", "a JPEG XL picture", Convert("convert it, for example with `djxl in.jxl out.png`")),
    (4, b"JXL \r\n\x87\n", "a JPEG XL picture", Convert("convert it, for example with `djxl in.jxl out.png`")),
    (4, b"jP  \r\n\x87\n", "a JPEG 2000 picture", Convert(MAGICK)),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", Convert(MAGICK)),
    (0, b"8BPS", "a Photoshop file", Convert("save it as PNG or JPEG")),
    (0, b"FUJIFILMCCD-RAW", "a raw photo (RAF)", Convert("develop it to JPEG or TIFF first")),
    (0, b"IIRO", "a raw photo (ORF)", Convert("develop it to JPEG or TIFF first")),
    (0, b"IIU\0", "a raw photo (RW2)", Convert("develop it to JPEG or TIFF first")),
    (0, b"\0\0\x01\0", "an icon (ICO)", Convert(MAGICK)),
    (0, b"\0\0\x02\0", "a cursor (CUR) or a TGA picture", Convert(MAGICK)),
    (0, b"qoif", "a QOI picture", Convert(MAGICK)),
    (0, b"P6", "a PPM picture", Convert(MAGICK)),
    (0, b"P5", "a PGM picture", Convert(MAGICK)),
    (0, b"P4", "a PBM picture", Convert(MAGICK)),
    (0, b"DDS ", "a DDS texture", Convert(MAGICK)),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture", Convert(MAGICK)),
    (0, b"#?RADIANCE", "a Radiance HDR picture", Convert(MAGICK)),
    (0, b"SIMPLE  =", "a FITS file", Convert("stretch its values and save it as PNG")),
    (128, b"DICM", "a DICOM file", Convert("export its picture as PNG, window applied")),
    (0, b"\x89HDF\r\n", "an HDF5 file", NotAPicture("write its arrays as PNG files first")),
    (0, b"\x93NUMPY", "a NumPy array", NotAPicture("write its arrays as PNG files first")),
    (40, b" EMF", "an EMF drawing", NotAPicture("save it as PNG")),
    (0, b"\xd7\xcd\xc6\x9a", "a WMF drawing", NotAPicture("save it as PNG")),
    (0, b"%PDF", "a PDF document", NotAPicture("take its pictures out first, for example with pdfimages")),
    (0, b"%!PS", "a PostScript document", NotAPicture("draw it as PNG first")),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript document", NotAPicture("draw it as PNG first")),
    (0, b"PK\x03\x04", "a zip archive (or an office document)", NotAPicture(UNPACK)),
    (0, b"PK\x05\x06", "an empty zip archive", NotAPicture(REMOVE)),
    (0, b"\x1f\x8b", "a gzip archive", NotAPicture(UNPACK)),
    (0, b"BZh", "a bzip2 archive", NotAPicture(UNPACK)),
    (0, b"\xfd7zXZ", "an xz archive", NotAPicture(UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", NotAPicture(UNPACK)),
    (0, b"Rar!", "a rar archive", NotAPicture(UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", "a zstandard archive", NotAPicture(UNPACK)),
    (257, b"ustar", "a tar archive", NotAPicture(UNPACK)),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document or a Windows thumbnail file", NotAPicture(REMOVE)),
    (0, b"\0\0\0\x01Bud1", "a macOS folder file (.DS_Store)", NotAPicture(REMOVE)),
    (0, b"\0\x05\x16\x07", "a macOS resource fork, which is left beside a file by copying", NotAPicture(REMOVE)),
    (0, b"\0\x05\x16\x00", "a macOS resource fork, which is left beside a file by copying", NotAPicture(REMOVE)),
    (0, b"\x7fELF", "a program", NotAPicture(REMOVE)),
    (0, b"MZ", "a program", NotAPicture(REMOVE)),
    (0, b"ID3", "a sound", NotAPicture(REMOVE)),
    (8, b"WAVE", "a sound", NotAPicture(REMOVE)),
    (8, b"AVI ", "a video", NotAPicture("take single pictures from it first, for example with ffmpeg")),
    (0, b"\x1a\x45\xdf\xa3", "a video", NotAPicture("take single pictures from it first, for example with ffmpeg")),
    (0, b"SQLite format 3", "an SQLite data base", NotAPicture(REMOVE)),
    (0, b"version https://git-lfs", "a git-lfs pointer, not the file itself", NotAPicture("run `git lfs pull`")),
];

/// What the bytes look like, as the refusal to read them.
pub(super) fn name(bytes: &[u8]) -> DecodeError {
    if bytes.is_empty() {
        return DecodeError::Empty;
    }
    for (place, mark, what, advice) in MARKS {
        if bytes.get(*place..).is_some_and(|rest| rest.starts_with(mark)) {
            return match *advice {
                NotAPicture(advice) => DecodeError::NotAPicture { what, advice },
                Convert(advice) => DecodeError::Unsupported { what, advice },
            };
        }
    }
    if let Some(error) = markup(bytes) {
        return error;
    }
    if bytes.iter().take(4096).all(|byte| *byte == 0) {
        return DecodeError::NotAPicture { what: "nothing but zero bytes", advice: "fetch it again" };
    }
    if is_text(bytes) {
        return DecodeError::NotAPicture { what: "text", advice: REMOVE };
    }
    let start: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    DecodeError::Unknown { start: start.join(" ") }
}

/// A raw photo of a camera inside a TIFF container.
pub(super) fn raw_photo(bytes: &[u8]) -> Option<DecodeError> {
    let what = match bytes.get(8..10) {
        Some(b"CR") => "a raw photo (CR2)",
        _ => return None,
    };
    Some(DecodeError::Unsupported { what, advice: "develop it to JPEG or TIFF first" })
}

/// HTML and SVG may begin with spaces, comments and declarations.
fn markup(bytes: &[u8]) -> Option<DecodeError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    if !start.trim_start().starts_with('<') {
        return None;
    }
    if start.contains("<svg") {
        return Some(DecodeError::Unsupported { what: "an SVG drawing", advice: DRAWING });
    }
    let what = match start.contains("<html") || start.contains("<!doctype html") || start.contains("<head") {
        true => "an HTML page",
        false => "an XML or HTML document",
    };
    Some(DecodeError::NotAPicture { what, advice: FETCH })
}

/// Whether the start is UTF-8 without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(1024)];
    let valid = match std::str::from_utf8(start) {
        Ok(text) => text,
        // A character may be cut by the end of the window.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or(""),
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_named_with_what_to_do() {
        let cases: &[(&[u8], &str)] = &[
            (b"", "is empty"),
            (b"\n <!DOCTYPE html><html>404", "it starts like an HTML page; fetch the picture again"),
            (b"<?xml version=\"1.0\"?><svg/>", "is an SVG drawing, which is not read; draw it as PNG"),
            (b"%PDF-1.7", "a PDF document"),
            (b"\0\0\0\x18ftypheic", "is a HEIC picture, which is not read; convert it"),
            (b"\0\0\0\x18ftypavif", "is an AVIF picture"),
            (b"\xff\x0a\0\0", "JPEG XL"),
            (b"8BPS\0\x01", "Photoshop"),
            (b"PK\x03\x04", "zip archive"),
            (b"version https://git-lfs.github.com/spec/v1\n", "run `git lfs pull`"),
            (b"path,label\n1.jpg,cat\n", "it starts like text; remove it"),
            ("größe".as_bytes(), "text"),
            (&[0; 64], "nothing but zero bytes"),
            (b"\x01\x02\xfe", "its first bytes are 01 02 fe"),
        ];
        for (bytes, part) in cases {
            let text = name(bytes).to_string();
            assert!(text.contains(part), "{text:?} does not say {part:?}");
        }
    }
}

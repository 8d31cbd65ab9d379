//! A walk along a JPEG's markers: what the header declares, and whether the end marker is there.
//!
//! The decoder does not look for the end marker, and lets nobody see the component count or Adobe's transform before
//! it allocates; so we look ourselves. Source: ITU-T T.81, annex B.

use super::super::header::at;

/// What the markers say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Markers<'a> {
    pub(super) frame: Option<Frame>,
    /// The colour transform of an Adobe segment: 0 none, 1 YCbCr, 2 YCCK.
    pub(super) adobe_transform: Option<u8>,
    pub(super) exif: Option<&'a [u8]>,
    pub(super) xmp: Option<&'a [u8]>,
    /// The index of a file of several pictures (MPO): a TIFF directory.
    pub(super) picture_index: Option<&'a [u8]>,
    /// A scan starts.
    pub(super) scan: bool,
    /// The end marker follows a scan.
    pub(super) end: bool,
}

/// The frame header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// `0xc0` to `0xcf`: which process.
    pub(super) marker: u8,
    pub(super) precision: u8,
    pub(super) height: u16,
    pub(super) width: u16,
    pub(super) components: u8,
}

/// Walks from the start marker to the end marker, over junk between segments as other readers do.
pub(super) fn walk(bytes: &[u8]) -> Markers<'_> {
    let mut markers = Markers::default();
    let mut place = 2;
    while let Some(marker) = next_marker(bytes, &mut place) {
        match marker {
            0xd9 => {
                markers.end = markers.scan;
                break;
            }
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let Some(length) = at(bytes, place).map(u16::from_be_bytes) else { break };
                let end = (place + usize::from(length)).min(bytes.len());
                let body = bytes.get(place + 2..end).unwrap_or_default();
                note(&mut markers, marker, body);
                // A scan's coded data have no length: what follows is searched for the next marker.
                place = end.max(place);
            }
        }
    }
    markers
}

/// Steps behind the next marker and gives its code. Stuffed zeros and restarts inside a scan are data.
pub(super) fn next_marker(bytes: &[u8], place: &mut usize) -> Option<u8> {
    loop {
        *place += bytes.get(*place..)?.iter().position(|byte| *byte == 0xff)?;
        let code = *bytes.get(*place + 1)?;
        match code {
            0xff => *place += 1,
            0x00 | 0xd0..=0xd7 => *place += 2,
            _ => {
                *place += 2;
                return Some(code);
            }
        }
    }
}

fn note<'a>(markers: &mut Markers<'a>, marker: u8, body: &'a [u8]) {
    match marker {
        // C4, C8 and CC are tables and extensions between the frame codes.
        0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) && markers.frame.is_none() => {
            markers.frame = frame(marker, body);
        }
        0xda => markers.scan = true,
        0xe1 => {
            if let Some(block) = body.strip_prefix(b"Exif\0") {
                markers.exif = markers.exif.or(block.get(1..));
            } else if let Some(block) = body.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                markers.xmp = markers.xmp.or(Some(block));
            }
        }
        0xe2 => markers.picture_index = markers.picture_index.or(body.strip_prefix(b"MPF\0")),
        0xee if body.starts_with(b"Adobe") => markers.adobe_transform = body.get(11).copied(),
        _ => {}
    }
}

fn frame(marker: u8, body: &[u8]) -> Option<Frame> {
    let [precision] = at(body, 0)?;
    let [height, width] = [1, 3].map(|place| at(body, place).map(u16::from_be_bytes));
    let [components] = at(body, 5)?;
    Some(Frame { marker, precision, height: height?, width: width?, components })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Start, a frame of 2 × 3, a scan header of no components, and coded data.
    const HEAD: &[u8] = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x02\0\x03\x01\x01\x11\0\xff\xda\0\x02data\xff\0\xff\xd0data";

    #[test]
    fn the_end_marker_counts_only_behind_a_scan() {
        let ended = |tail: &[u8]| walk(&[HEAD, tail].concat()).end;
        assert!(ended(b"\xff\xd9") && ended(b"\xff\xff\xd9 and garbage"));
        assert!(!ended(b"") && !ended(b"\xff") && !ended(b"\xff\xfe\0\x04\xff\xd9"));
        assert!(!walk(b"\xff\xd8\xff\xd9").end);
    }

    #[test]
    fn junk_between_segments_is_stepped_over() {
        let junk = [&HEAD[..2], b"junk\xff\0more", &HEAD[2..]].concat();
        let frame = walk(&junk).frame.unwrap();
        assert_eq!((frame.height, frame.width, frame.components, frame.precision), (2, 3, 1, 8));
    }

    #[test]
    fn every_cut_ends_the_walk() {
        for length in 0..HEAD.len() {
            walk(&HEAD[..length]);
        }
    }
}

//! Baseline JPEG whose channels lie in scans of their own, with chroma at another resolution.
//!
//! zune-jpeg 0.5.15 decodes these without an error to wrong colours. Each scan of one channel is a gray picture, so each
//! is cut out into a gray JPEG of its own, and the channels are put together here.

use super::super::header::at;
use super::markers::next_marker;

/// One channel as a gray JPEG, and how many of its samples there are for each of the finest channel: 1, 2 or 4 times
/// fewer along each side as `most / own`.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) jpeg: Vec<u8>,
    /// Samples along x and y, and those of the finest channel.
    pub(super) sampling: [u8; 2],
    pub(super) most: [u8; 2],
}

/// The channels of such a file in the order of the frame header; `None` for every other file.
pub(super) fn channels(bytes: &[u8]) -> Option<Vec<Channel>> {
    let mut tables = Vec::new();
    let mut frame: Option<&[u8]> = None;
    let mut scans = Vec::new();
    let mut place = 2;
    while let Some(marker) = next_marker(bytes, &mut place) {
        if marker == 0xd9 {
            break;
        }
        let length = usize::from(u16::from_be_bytes(at(bytes, place)?));
        let segment = bytes.get(place..place + length)?;
        let start = place - 2;
        place += length;
        match marker {
            0xc0 | 0xc1 => frame = Some(segment),
            0xc2..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => return None,
            0xc4 | 0xdb | 0xdd => tables.extend_from_slice(&bytes[start..place]),
            0xda => {
                // The first scan of all channels makes it an ordinary file.
                if segment.get(2) != Some(&1) {
                    return None;
                }
                let mut end = place;
                let next = next_marker(bytes, &mut end);
                let data_end = if next.is_some() { end - 2 } else { bytes.len() };
                scans.push((*segment.get(3)?, tables.clone(), &bytes[start..data_end]));
                place = data_end;
            }
            _ => {}
        }
    }
    assemble(frame?, &scans)
}

/// A frame header of one channel, in front of that channel's scan.
fn assemble(frame: &[u8], scans: &[(u8, Vec<u8>, &[u8])]) -> Option<Vec<Channel>> {
    let [height, width] = [3, 5].map(|place| at(frame, place).map(u16::from_be_bytes));
    let (height, width) = (height?, width?);
    let components: &[[u8; 3]] = frame.get(8..)?.as_chunks().0;
    let sampling = |component: &[u8; 3]| [component[1] >> 4, component[1] & 15];
    let side = |axis: usize| components.iter().map(|component| sampling(component)[axis]).max();
    let most = [side(0)?, side(1)?];
    let uneven = components.iter().any(|component| sampling(component) != most);
    if components.len() < 2 || !uneven || components.iter().any(|component| sampling(component).contains(&0)) {
        return None;
    }
    let channel = |component: &[u8; 3]| {
        let (_, tables, scan) = scans.iter().find(|scan| scan.0 == component[0])?;
        let own = sampling(component);
        let share = |length: u16, axis: usize| {
            (u32::from(length) * u32::from(own[axis])).div_ceil(u32::from(most[axis])) as u16
        };
        let mut jpeg = b"\xff\xd8".to_vec();
        jpeg.extend_from_slice(tables);
        jpeg.extend_from_slice(b"\xff\xc0\0\x0b\x08");
        jpeg.extend_from_slice(&share(height, 1).to_be_bytes());
        jpeg.extend_from_slice(&share(width, 0).to_be_bytes());
        jpeg.extend_from_slice(&[1, component[0], 0x11, component[2]]);
        jpeg.extend_from_slice(scan);
        jpeg.extend_from_slice(b"\xff\xd9");
        Some(Channel { jpeg, sampling: own, most })
    };
    components.iter().map(channel).collect()
}

impl Channel {
    /// Where in the gray picture of this channel the sample for a place of the whole picture lies, along one side.
    pub(super) fn place(&self, axis: usize, place: usize) -> usize {
        place * usize::from(self.sampling[axis]) / usize::from(self.most[axis])
    }
}

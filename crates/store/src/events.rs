//! `events.jsonl`: everything that happened, a line each.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use avizor_base::{Event, Listener};
use serde::{Deserialize, Serialize};

use crate::{StoreError, file};

/// Tells the time as RFC 3339, UTC. Libraries read no clock: the program gives one.
pub type Clock = Box<dyn FnMut() -> String>;

/// One line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedEvent {
    /// When: RFC 3339, UTC.
    pub time: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Appends events to `events.jsonl`, a whole line at a time. Steps are not stored: they are too many.
pub struct EventLog {
    path: PathBuf,
    file: File,
    offset: u64,
    clock: Clock,
    failure: Option<StoreError>,
}

impl EventLog {
    /// Opens the log for appending, making it where needed. A last line that a crash has torn is cut off.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: &Path, clock: Clock) -> Result<Self, StoreError> {
        let failed = |error| StoreError::write(path, error);
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let offset = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last as u64 + 1);
        file.set_len(offset).map_err(failed)?;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, offset, clock, failure: None })
    }

    /// Length of the log in bytes: where the next line will begin.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What went wrong first, if something did. Asking takes it.
    pub fn take_failure(&mut self) -> Option<StoreError> {
        self.failure.take()
    }

    fn append(&mut self, event: &Event) -> Result<(), StoreError> {
        let line = LoggedEvent { time: (self.clock)(), event: storable(event) };
        let mut bytes =
            serde_json::to_vec(&line).map_err(|source| StoreError::Json { path: self.path.clone(), source })?;
        bytes.push(b'\n');
        // One write a line; one that fails half-way is taken back, so that the next line begins on its own.
        if let Err(error) = self.file.write_all(&bytes) {
            self.file.set_len(self.offset).map_err(|error| StoreError::write(&self.path, error))?;
            self.file.seek(SeekFrom::Start(self.offset)).map_err(|error| StoreError::write(&self.path, error))?;
            return Err(StoreError::write(&self.path, error));
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

impl Listener for EventLog {
    fn on_event(&mut self, event: &Event) {
        if matches!(event, Event::Step { .. }) {
            return;
        }
        if let Err(error) = self.append(event) {
            self.failure.get_or_insert(error);
        }
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog").field("path", &self.path).field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// JSON has no number for infinity and not-a-number: such values of an epoch are left out here. `history.csv` has them.
fn storable(event: &Event) -> Event {
    let mut event = event.clone();
    if let Event::Epoch { values, .. } = &mut event {
        values.retain(|(_, value)| value.is_finite());
    }
    event
}

/// All events in order. A last line without its end, torn by a crash, is ignored.
///
/// # Errors
/// The file is not there or cannot be read; a whole line is no event, its number is named.
pub fn read_events(path: &Path) -> Result<Vec<LoggedEvent>, StoreError> {
    let bytes = file::read_bytes(path)?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    (1..)
        .zip(bytes[..whole].split(|&byte| byte == b'\n'))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| {
            serde_json::from_slice(line).map_err(|error| StoreError::table(path, Some(number), error.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clock {
        let mut second = 0;
        Box::new(move || {
            second += 1;
            format!("2026-11-22T10:00:{second:02}Z")
        })
    }

    fn epoch(epoch: usize, loss: f64) -> Event {
        Event::Epoch { epoch, values: vec![("train.loss".into(), loss), ("lr".into(), 0.1)], best: true }
    }

    #[test]
    fn lines_are_appended_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut log = EventLog::open(&path, clock()).unwrap();
        log.on_event(&Event::Step { epoch: 1, step: 1, loss: 1.0, pictures: 4 });
        log.on_event(&epoch(1, 0.5));
        log.on_event(&epoch(2, f64::NAN));
        let mut log = EventLog::open(&path, clock()).unwrap();
        log.on_event(&Event::Finished { reason: "all epochs done".into() });
        assert!(log.take_failure().is_none());
        assert_eq!(log.offset(), std::fs::metadata(&path).unwrap().len());
        let events = read_events(&path).unwrap();
        assert_eq!(events.len(), 3);
        assert_eq!((events[0].time.as_str(), &events[0].event), ("2026-11-22T10:00:01Z", &epoch(1, 0.5)));
        let Event::Epoch { values, .. } = &events[1].event else { panic!("an epoch was logged") };
        assert_eq!(values, &[("lr".to_owned(), 0.1)]);
    }

    #[test]
    fn a_torn_line_is_ignored_and_then_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        EventLog::open(&path, clock()).unwrap().on_event(&epoch(1, 0.5));
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, [&whole[..], &whole[..cut]].concat()).unwrap();
            assert_eq!(read_events(&path).unwrap().len(), 1, "cut at {cut}");
            EventLog::open(&path, clock()).unwrap().on_event(&epoch(2, 0.4));
            assert_eq!(read_events(&path).unwrap().len(), 2, "cut at {cut}");
        }
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut log = EventLog::open(&path, clock()).unwrap();
        log.on_event(&epoch(1, 0.5));
        std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"{oops}\n"].concat()).unwrap();
        let error = read_events(&path).unwrap_err().to_string();
        assert!(error.contains("events.jsonl:2: "), "{error}");
    }
}

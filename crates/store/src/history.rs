//! `history.csv`: a row an epoch.

use std::path::{Path, PathBuf};

use avizor_base::{Event, Listener};

use crate::{StoreError, file};

/// The numbers of all epochs so far. Columns are named by the values, in the order of their first appearance, between
/// `epoch` and `best`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    columns: Vec<String>,
    rows: Vec<HistoryRow>,
}

/// One epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// From 1.
    pub epoch: usize,
    /// A value a column; `None` where the epoch has none. May be infinite or not a number: a loss that ran away.
    pub values: Vec<Option<f64>>,
    /// Whether it was the best so far by the chosen metric.
    pub best: bool,
}

impl History {
    /// Names of the values, such as `train.loss`.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Epochs in order.
    pub fn rows(&self) -> &[HistoryRow] {
        &self.rows
    }

    /// Adds an epoch. An epoch that is there already, and all after it, are replaced: training went back to a checkpoint.
    pub fn push(&mut self, epoch: usize, values: &[(String, f64)], best: bool) {
        self.rows.retain(|row| row.epoch < epoch);
        let mut cells = vec![None; self.columns.len()];
        for (name, value) in values {
            match self.columns.iter().position(|have| have == name) {
                Some(column) => cells[column] = Some(*value),
                None => {
                    self.columns.push(name.clone());
                    cells.push(Some(*value));
                }
            }
        }
        self.rows.push(HistoryRow { epoch, values: cells, best });
        for row in &mut self.rows {
            row.values.resize(self.columns.len(), None);
        }
    }

    /// A column as pairs of epoch and value, without the epochs that lack it. Empty where there is no such column.
    pub fn series(&self, column: &str) -> Vec<(usize, f64)> {
        let Some(index) = self.columns.iter().position(|have| have == column) else { return Vec::new() };
        self.rows.iter().filter_map(|row| Some((row.epoch, row.values[index]?))).collect()
    }

    /// The epoch whose network was kept: the last that was the best so far.
    pub fn best_epoch(&self) -> Option<usize> {
        self.rows.iter().rev().find(|row| row.best).map(|row| row.epoch)
    }

    /// Writes the table whole.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = ["epoch"].into_iter().chain(self.columns.iter().map(String::as_str)).chain(["best"]);
        writer.write_record(header).map_err(|error| StoreError::csv(path, error))?;
        for row in &self.rows {
            let values = row.values.iter().map(|value| value.map_or(String::new(), |value| value.to_string()));
            let best = if row.best { "1" } else { "0" };
            let cells = [row.epoch.to_string()].into_iter().chain(values).chain([best.to_owned()]);
            writer.write_record(cells).map_err(|error| StoreError::csv(path, error))?;
        }
        file::write_bytes(path, &file::finish_table(path, writer)?)
    }

    /// Reads the table.
    ///
    /// # Errors
    /// The file is not there, cannot be read, or is not of this shape; the line is named.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let bytes = file::read_bytes(path)?;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|error| StoreError::csv(path, error))?.clone();
        let names: Vec<&str> = header.iter().collect();
        let ["epoch", columns @ .., "best"] = names.as_slice() else {
            return Err(StoreError::table(path, Some(1), "the columns must begin with epoch and end with best"));
        };
        let mut history = Self { columns: columns.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() };
        for record in reader.records() {
            let record = record.map_err(|error| StoreError::csv(path, error))?;
            let row = parse_row(&record)
                .map_err(|what| StoreError::table(path, record.position().map(csv::Position::line), what))?;
            history.rows.push(row);
        }
        Ok(history)
    }
}

fn parse_row(record: &csv::StringRecord) -> Result<HistoryRow, String> {
    let cells: Vec<&str> = record.iter().collect();
    let [epoch, values @ .., best] = cells.as_slice() else { return Err("the row is too short".to_owned()) };
    let number = |cell: &&str| match *cell {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("{text:?} is not a number")),
    };
    Ok(HistoryRow {
        epoch: epoch.parse().map_err(|_| format!("{epoch:?} is not the number of an epoch"))?,
        values: values.iter().map(number).collect::<Result<_, _>>()?,
        best: match *best {
            "1" => true,
            "0" => false,
            other => return Err(format!("{other:?} in the column best is neither 0 nor 1")),
        },
    })
}

/// Keeps `history.csv` in step with the epochs of a run.
#[derive(Debug)]
pub struct HistoryLog {
    path: PathBuf,
    history: History,
    failure: Option<StoreError>,
}

impl HistoryLog {
    /// Goes on with the table where there is one.
    ///
    /// # Errors
    /// There is a table, but it cannot be read.
    pub fn open(path: PathBuf) -> Result<Self, StoreError> {
        let history = StoreError::optional(History::read(&path))?.unwrap_or_default();
        Ok(Self { path, history, failure: None })
    }

    /// The epochs so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What went wrong first, if something did. Asking takes it.
    pub fn take_failure(&mut self) -> Option<StoreError> {
        self.failure.take()
    }
}

impl Listener for HistoryLog {
    fn on_event(&mut self, event: &Event) {
        let Event::Epoch { epoch, values, best } = event else { return };
        self.history.push(*epoch, values, *best);
        // The table is written whole each time: an epoch takes longer than a few hundred short rows.
        if let Err(error) = self.history.write(&self.path) {
            self.failure.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(values: &[(&str, f64)]) -> Vec<(String, f64)> {
        values.iter().map(|&(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn a_table_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.csv");
        let mut history = History::default();
        history.push(1, &named(&[("train.loss", 0.1 + 0.2), ("lr", 1e-3)]), true);
        history.push(2, &named(&[("train.loss", f64::INFINITY), ("val.loss", 1.0 / 3.0)]), false);
        history.write(&path).unwrap();
        assert_eq!(History::read(&path).unwrap(), history);
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "epoch,train.loss,lr,val.loss,best\n1,0.30000000000000004,0.001,,1\n2,inf,,0.3333333333333333,0\n"
        );
        assert_eq!(history.series("val.loss"), [(2, 1.0 / 3.0)]);
        assert_eq!(history.best_epoch(), Some(1));
    }

    #[test]
    fn going_back_to_a_checkpoint_replaces_what_came_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.csv");
        let epoch = |epoch, loss| Event::Epoch { epoch, values: named(&[("train.loss", loss)]), best: false };
        let mut log = HistoryLog::open(path.clone()).unwrap();
        for (number, loss) in [(1, 0.5), (2, 0.4), (3, 0.3)] {
            log.on_event(&epoch(number, loss));
        }
        let mut log = HistoryLog::open(path.clone()).unwrap();
        log.on_event(&epoch(2, 0.45));
        assert!(log.take_failure().is_none());
        assert_eq!(History::read(&path).unwrap().series("train.loss"), [(1, 0.5), (2, 0.45)]);
    }

    #[test]
    fn an_error_names_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.csv");
        for (text, what) in [
            ("epoch,lr\n", "history.csv:1: the columns must begin with epoch and end with best"),
            ("epoch,lr,best\n1,0.1,1\n2,x,0\n", "history.csv:3: \"x\" is not a number"),
            ("epoch,lr,best\n1,0.1\n", "history.csv:2: the row has 2 cells, the header 3"),
            ("", "history.csv:1: the columns must"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = History::read(&path).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}

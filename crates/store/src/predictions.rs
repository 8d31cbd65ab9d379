//! `predictions/val.csv` and `predictions/test.csv`: the pivot. All later numbers come from them.

use std::path::Path;

use avizor_base::{ClassId, ClassList};

use crate::{StoreError, file};

/// The predictions of one part.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Classes in the order of the model.
    pub classes: ClassList,
    /// A row a sample.
    pub rows: Vec<PredictionRow>,
}

/// What the network said about one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionRow {
    /// The sample's name.
    pub sample: String,
    /// What it shares with others, such as a patient.
    pub group: Option<String>,
    /// Its label; `None` where unknown.
    pub label: Option<ClassId>,
    /// The most probable class.
    pub prediction: ClassId,
    /// How much it counts; 1 unless said.
    pub weight: f64,
    /// A probability a class.
    pub probabilities: Vec<f32>,
}

/// The columns before the probabilities.
const FIRST: [&str; 5] = ["sample", "group", "label", "prediction", "weight"];

/// What a column of probabilities begins with.
const PREFIX: &str = "p:";

impl Predictions {
    /// Writes the table whole: `sample,group,label,prediction,weight,p:<class>…`.
    ///
    /// # Errors
    /// A row has another number of probabilities than there are classes, or a class that is not in the list; what the
    /// file system says.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let columns = self.classes.names().iter().map(|name| format!("{PREFIX}{name}"));
        let header = FIRST.into_iter().map(str::to_owned).chain(columns);
        writer.write_record(header).map_err(|error| StoreError::csv(path, error))?;
        for row in &self.rows {
            let cells = self.cells(row).ok_or_else(|| StoreError::Unstorable {
                path: path.to_owned(),
                what: format!("the prediction of {:?}: it is not one of these classes", row.sample),
            })?;
            writer.write_record(cells).map_err(|error| StoreError::csv(path, error))?;
        }
        file::write_bytes(path, &file::finish_table(path, writer)?)
    }

    fn cells(&self, row: &PredictionRow) -> Option<Vec<String>> {
        let name = |id: ClassId| self.classes.names().get(id.index()).cloned();
        if row.probabilities.len() != self.classes.len() {
            return None;
        }
        let label = match row.label {
            Some(id) => name(id)?,
            None => String::new(),
        };
        let group = row.group.clone().unwrap_or_default();
        let mut cells = vec![row.sample.clone(), group, label, name(row.prediction)?, row.weight.to_string()];
        cells.extend(row.probabilities.iter().map(f32::to_string));
        Some(cells)
    }

    /// Reads the table.
    ///
    /// # Errors
    /// The file is not there, cannot be read, or is not of this shape; the line is named.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let bytes = file::read_bytes(path)?;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|error| StoreError::csv(path, error))?.clone();
        let classes = parse_header(&header).map_err(|what| StoreError::table(path, Some(1), what))?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| StoreError::csv(path, error))?;
            let row = parse_row(&classes, &record)
                .map_err(|what| StoreError::table(path, record.position().map(csv::Position::line), what))?;
            rows.push(row);
        }
        Ok(Self { classes, rows })
    }
}

fn parse_header(header: &csv::StringRecord) -> Result<ClassList, String> {
    if !header.iter().take(FIRST.len()).eq(FIRST) {
        return Err(format!("the columns must begin with {}", FIRST.join(",")));
    }
    let names = header.iter().skip(FIRST.len()).map(|column| {
        let name =
            column.strip_prefix(PREFIX).ok_or_else(|| format!("the column {column:?} is not {PREFIX}<class>"))?;
        Ok(name.to_owned())
    });
    ClassList::from_ordered(names.collect::<Result<_, String>>()?).map_err(|error| error.to_string())
}

fn parse_row(classes: &ClassList, record: &csv::StringRecord) -> Result<PredictionRow, String> {
    let cells: Vec<&str> = record.iter().collect();
    let [sample, group, label, prediction, weight, probabilities @ ..] = cells.as_slice() else {
        return Err("the row is too short".to_owned());
    };
    let class = |name: &str| classes.id(name).ok_or_else(|| format!("{name:?} is none of the classes"));
    let number = |text: &str| format!("{text:?} is not a number");
    Ok(PredictionRow {
        sample: (*sample).to_owned(),
        group: Some(*group).filter(|group| !group.is_empty()).map(str::to_owned),
        label: if label.is_empty() { None } else { Some(class(label)?) },
        prediction: class(prediction)?,
        weight: weight.parse().map_err(|_| number(weight))?,
        probabilities: probabilities
            .iter()
            .map(|text| text.parse().map_err(|_| number(text)))
            .collect::<Result<_, String>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions() -> Predictions {
        let classes = ClassList::from_ordered(vec!["cat, wild".into(), "\"dog\"".into(), "p:x".into()]).unwrap();
        let row = |sample: &str, label, probabilities: [f32; 3]| PredictionRow {
            sample: sample.into(),
            group: None,
            label,
            prediction: ClassId(1),
            weight: 1.0,
            probabilities: probabilities.to_vec(),
        };
        let rows = vec![
            row("a,1.jpg", Some(ClassId(0)), [0.1, 0.7, 0.2]),
            PredictionRow { group: Some("p\n7".into()), weight: 0.1 + 0.2, ..row("b", None, [1.0 / 3.0, 1e-30, 1.0]) },
        ];
        Predictions { classes, rows }
    }

    #[test]
    fn a_table_comes_back_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions/test.csv");
        for table in [predictions(), Predictions { rows: vec![], ..predictions() }] {
            table.write(&path).unwrap();
            assert_eq!(Predictions::read(&path).unwrap(), table);
        }
    }

    #[test]
    fn a_row_of_other_classes_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.csv");
        for damage in [
            (|row| row.probabilities = vec![1.0]) as fn(&mut PredictionRow),
            |row| row.label = Some(ClassId(3)),
            |row| row.prediction = ClassId(9),
        ] {
            let mut table = predictions();
            damage(&mut table.rows[1]);
            assert!(matches!(table.write(&path), Err(StoreError::Unstorable { .. })));
            assert!(!path.exists());
        }
    }

    #[test]
    fn an_error_names_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.csv");
        let header = "sample,group,label,prediction,weight,p:a,p:b\n";
        for (text, what) in [
            ("sample,label\n".to_owned(), "test.csv:1: the columns must begin with sample,group,label"),
            (header.replace("p:b", "b"), "test.csv:1: the column \"b\" is not p:<class>"),
            (header.replace("p:b", "p:a"), "test.csv:1: class \"a\" is listed twice"),
            (format!("{header}x,,a,c,1,0.5,0.5\n"), "test.csv:2: \"c\" is none of the classes"),
            (format!("{header}x,,a,b,1,0.5,half\n"), "test.csv:2: \"half\" is not a number"),
            (format!("{header}x,,a,b,1,0.5,0.5\nx,,a\n"), "test.csv:3: the row has 3 cells, the header 7"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Predictions::read(&path).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}

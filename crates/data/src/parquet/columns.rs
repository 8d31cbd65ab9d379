//! The columns of a Parquet file: which hold pictures, which texts or numbers, and what their values say.

use std::collections::BTreeMap;

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::metadata::FileMetaData;
use parquet::schema::types::ColumnDescriptor;
use serde_json::Value;

/// A column as a person knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Of a struct, its own, not its field's.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The classes that its numbers stand for.
    pub(super) classes: Option<Vec<String>>,
}

/// What a column holds, and the number of the leaf of the schema that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes that are no text, alone or as the field `bytes` of a struct.
    Pictures(usize),
    /// Text or numbers, one a row.
    Values(usize),
    /// Lists, dates of 96 bits, structs without a field `bytes`.
    Other,
}

/// All columns, in the order of the schema.
pub(super) fn columns(file: &FileMetaData) -> Vec<Column> {
    let classes = class_names(file);
    let mut columns: Vec<Column> = Vec::new();
    for (leaf, descriptor) in file.schema_descr().columns().iter().enumerate() {
        let Some((name, field)) = descriptor.path().parts().split_first() else { continue };
        let kind = kind(leaf, descriptor, field);
        match columns.last_mut() {
            // Leaves of one struct follow each other.
            Some(last) if last.name == *name => {
                if matches!(kind, Kind::Pictures(_)) {
                    last.kind = kind;
                }
            }
            _ => columns.push(Column { name: name.clone(), kind, classes: classes.get(name).cloned() }),
        }
    }
    columns
}

fn kind(leaf: usize, descriptor: &ColumnDescriptor, field: &[String]) -> Kind {
    let is_bytes = descriptor.physical_type() == Type::BYTE_ARRAY && !is_text(descriptor);
    match field {
        _ if descriptor.max_rep_level() > 0 => Kind::Other,
        [] if is_bytes => Kind::Pictures(leaf),
        [field] if is_bytes && field == "bytes" => Kind::Pictures(leaf),
        [] if !matches!(descriptor.physical_type(), Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY) => Kind::Values(leaf),
        _ => Kind::Other,
    }
}

fn is_text(descriptor: &ColumnDescriptor) -> bool {
    let logical =
        matches!(descriptor.logical_type_ref(), Some(LogicalType::String | LogicalType::Enum | LogicalType::Json));
    logical || matches!(descriptor.converted_type(), ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON)
}

/// The names that the library `datasets` keeps beside the schema, under the key `huggingface`:
/// `{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}`.
fn class_names(file: &FileMetaData) -> BTreeMap<String, Vec<String>> {
    let pairs = file.key_value_metadata().map_or(&[][..], Vec::as_slice);
    let text = pairs.iter().find(|pair| pair.key == "huggingface").and_then(|pair| pair.value.as_deref());
    // Whatever else stands there is no names of classes.
    let info: Value = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let features = info.pointer("/info/features").and_then(Value::as_object);
    let names = |feature: &Value| -> Option<Vec<String>> {
        let names = feature.get("names").filter(|_| feature.get("_type").is_some_and(|kind| kind == "ClassLabel"))?;
        names.as_array()?.iter().map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    features.into_iter().flatten().filter_map(|(column, feature)| Some((column.clone(), names(feature)?))).collect()
}

/// The next `rows` values of a column as a table would say them; nothing for a null. The numbers of classes become their names.
pub(super) fn texts(
    reader: &mut ColumnReader,
    descriptor: &ColumnDescriptor,
    column: &Column,
    rows: usize,
) -> Result<Vec<String>, String> {
    let unsigned = matches!(
        descriptor.converted_type(),
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
    );
    let most = descriptor.max_def_level();
    let class = |number: i64| class(number, column);
    let plain = |text: String| Ok(text);
    match reader {
        ColumnReader::BoolColumnReader(reader) => read(reader, most, rows, |value| plain(value.to_string())),
        ColumnReader::Int32ColumnReader(reader) => {
            read(reader, most, rows, |&value| if unsigned { class((value as u32).into()) } else { class(value.into()) })
        }
        ColumnReader::Int64ColumnReader(reader) => read(reader, most, rows, |&value| match u64::try_from(value) {
            Err(_) if unsigned => plain((value as u64).to_string()),
            _ => class(value),
        }),
        ColumnReader::FloatColumnReader(reader) => read(reader, most, rows, |value| plain(value.to_string())),
        ColumnReader::DoubleColumnReader(reader) => read(reader, most, rows, |value| plain(value.to_string())),
        ColumnReader::ByteArrayColumnReader(reader) => {
            read(reader, most, rows, |value| plain(String::from_utf8_lossy(value.data()).trim().to_owned()))
        }
        _ => Err(format!("column \"{}\" holds neither text nor numbers", column.name)),
    }
}

/// What a number stands for; -1 is how `datasets` says that there is no class.
fn class(number: i64, column: &Column) -> Result<String, String> {
    let Some(names) = &column.classes else { return Ok(number.to_string()) };
    if number == -1 {
        return Ok(String::new());
    }
    let name = usize::try_from(number).ok().and_then(|number| names.get(number));
    name.cloned()
        .ok_or_else(|| format!("column \"{}\" holds {number}, and there are {} classes", column.name, names.len()))
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    most: i16,
    rows: usize,
    text: impl Fn(&T::T) -> Result<String, String>,
) -> Result<Vec<String>, String> {
    values(reader, most, rows)?.iter().map(|value| value.as_ref().map_or(Ok(String::new()), &text)).collect()
}

/// The next `rows` values of a column, `None` for a null; `most` is the level of what is none.
pub(super) fn values<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    most: i16,
    rows: usize,
) -> Result<Vec<Option<T::T>>, String> {
    let (mut levels, mut present) = (Vec::new(), Vec::new());
    let (read, _, _) =
        reader.read_records(rows, Some(&mut levels), None, &mut present).map_err(|error| said(&error))?;
    if read != rows {
        return Err(format!("a column ends {} rows too early", rows - read));
    }
    let mut present = present.into_iter();
    Ok(match most {
        0 => present.map(Some).collect(),
        _ => levels.into_iter().map(|level| if level == most { present.next() } else { None }).collect(),
    })
}

/// The pictures among the next `rows`.
pub(super) fn pictures(reader: &mut ColumnReader, most: i16, rows: usize) -> Result<Vec<Option<ByteArray>>, String> {
    match reader {
        ColumnReader::ByteArrayColumnReader(reader) => values(reader, most, rows),
        _ => Err("its column of pictures is none of bytes".to_owned()),
    }
}

/// An error of the library's without its own heading.
pub(super) fn said(error: &parquet::errors::ParquetError) -> String {
    let text = error.to_string();
    ["Parquet error: ", "External: ", "EOF: "]
        .iter()
        .find_map(|start| text.strip_prefix(start))
        .unwrap_or(&text)
        .to_owned()
}

//! PyTorch's own files: `torch.save` of a state dict, in the zip layout and in the one before it.
//!
//! Source: `torch/serialization.py`. Zip: a program `data.pkl` and a file for every storage, uncompressed. Before: five
//! programs one after the other (magic number, version, machine, object, list of storages), then the storages.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;

use zip::{CompressionMethod, ZipArchive};

use super::content::{Data, Stored};
use super::pickle::{Node, Number, Pickle, Tensor};
use crate::WeightsError;

/// How a file of the older layout begins: the program of its magic number.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
/// How every zip file begins.
const ZIP: &[u8] = b"PK\x03\x04";

/// Names under which training scripts put a state dict beside other things.
const INNER: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "weights"];

/// Whether a file looks like PyTorch's.
pub(super) fn is_pytorch(bytes: &[u8]) -> bool {
    bytes.starts_with(ZIP) || bytes.starts_with(LEGACY)
}

/// The tensors of a file by name.
///
/// # Errors
/// When it is damaged, or holds other things than tensors.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, Stored<'_>>, WeightsError> {
    let (pickle, storages) = if bytes.starts_with(ZIP) { zipped(bytes)? } else { legacy(bytes)? };
    let mut tensors = BTreeMap::new();
    for (name, tensor) in state_dict(&pickle)? {
        let data = storages.get(tensor.storage.key.as_str()).copied().unwrap_or_default();
        if data.len() / tensor.storage.number.bytes() < tensor.storage.len {
            return Err(damaged(format!("the numbers of {name:?} are not all there")));
        }
        tensors.insert(name.to_owned(), Stored { shape: tensor.shape.clone(), data: Data::View(tensor.clone(), data) });
    }
    Ok(without_wrapper(tensors))
}

fn damaged(what: impl Into<String>) -> WeightsError {
    WeightsError::Damaged(what.into())
}

/// A program, and the bytes of every storage.
type Parts<'b> = (Pickle, HashMap<String, &'b [u8]>);

fn zipped(bytes: &[u8]) -> Result<Parts<'_>, WeightsError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(error.to_string()))?;
    // Which of them is meant, other readers may say otherwise.
    if archive.has_duplicate_names() {
        return Err(damaged("a zip file with two files of one name: PyTorch did not write it"));
    }
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let mut programs = names.iter().filter(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
    let program = programs.next().ok_or_else(|| damaged("a zip file without data.pkl: PyTorch did not write it"))?;
    if programs.next().is_some() {
        return Err(damaged("it has several data.pkl: PyTorch did not write it"));
    }
    let folder = program.trim_end_matches("data.pkl");
    let mut content = |name: &str| {
        let entry = archive.by_name(name).map_err(|error| damaged(format!("{name}: {error}")))?;
        if entry.compression() != CompressionMethod::Stored {
            return Err(damaged(format!("{name} is compressed: PyTorch did not write it")));
        }
        if entry.is_symlink() {
            return Err(damaged(format!("{name} is a link: PyTorch did not write it")));
        }
        // Uncompressed: its bytes are those of the file.
        let start = entry.data_start().and_then(|start| usize::try_from(start).ok());
        let len = usize::try_from(entry.size()).ok();
        let place = start.zip(len).and_then(|(start, len)| bytes.get(start..start.checked_add(len)?));
        place.ok_or_else(|| damaged(format!("{name} reaches past the end of the file")))
    };
    let order = format!("{folder}byteorder");
    if names.contains(&order) && content(&order)? != b"little" {
        return Err(damaged("its numbers begin with their highest byte: save it on a current machine"));
    }
    let pickle = Pickle::read(content(program)?)?;
    let mut storages = HashMap::new();
    for storage in &pickle.storages {
        if !storages.contains_key(&storage.key) {
            storages.insert(storage.key.clone(), content(&format!("{folder}data/{}", storage.key))?);
        }
    }
    Ok((pickle, storages))
}

fn legacy(bytes: &[u8]) -> Result<Parts<'_>, WeightsError> {
    let mut rest = &bytes[LEGACY.len()..];
    let mut next = || {
        let pickle = Pickle::read(rest)?;
        rest = &rest[pickle.len..];
        Ok::<_, WeightsError>(pickle)
    };
    let (_version, machine, object, keys) = (next()?, next()?, next()?, next()?);
    if machine.named(machine.top()).any(|(name, value)| name == "little_endian" && matches!(value, Node::Bool(false))) {
        return Err(damaged("its numbers begin with their highest byte: save it on a current machine"));
    }
    let Node::Tuple(keys_there) = keys.top() else { return Err(damaged("the list of numbers is missing")) };
    let numbers: HashMap<&str, Number> =
        object.storages.iter().map(|storage| (storage.key.as_str(), storage.number)).collect();
    let mut storages = HashMap::new();
    for &key in keys_there {
        let Node::Text(key) = keys.node(key) else { return Err(damaged("the list of numbers holds other things")) };
        let number = numbers.get(key.as_str()).ok_or_else(|| damaged("numbers that no tensor names"))?;
        let early = || damaged("it ends too early");
        let (len, behind) = rest.split_first_chunk::<8>().ok_or_else(early)?;
        let len = usize::try_from(u64::from_le_bytes(*len)).ok().and_then(|len| len.checked_mul(number.bytes()));
        let (data, behind) = len.and_then(|len| behind.split_at_checked(len)).ok_or_else(early)?;
        storages.insert(key.clone(), data);
        rest = behind;
    }
    Ok((object, storages))
}

/// The tensors of the object itself, or of the state dict in it.
fn state_dict(pickle: &Pickle) -> Result<Vec<(&str, &Tensor)>, WeightsError> {
    let tensors = |node| {
        let named = pickle.named(node);
        named.filter_map(|(name, value)| if let Node::Tensor(tensor) = value { Some((name, tensor)) } else { None })
    };
    let top = pickle.top();
    let inner = INNER.into_iter().filter_map(|name| pickle.named(top).find(|(key, _)| *key == name));
    for node in [top].into_iter().chain(inner.map(|(_, node)| node)) {
        let found: Vec<_> = tensors(node).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(damaged("it holds no tensors by name; in Python: torch.save(model.state_dict(), \"weights.pth\")"))
}

/// Without the prefix that `DataParallel` puts before all names.
fn without_wrapper(tensors: BTreeMap<String, Stored<'_>>) -> BTreeMap<String, Stored<'_>> {
    const WRAPPER: &str = "module.";
    if !tensors.keys().all(|name| name.starts_with(WRAPPER)) {
        return tensors;
    }
    tensors.into_iter().map(|(name, tensor)| (name[WRAPPER.len()..].to_owned(), tensor)).collect()
}

//! The part of Python's pickle format that files of tensors are made of, read and never run.
//!
//! A pickle is a program that calls what it names. Here a closed list of names has a meaning ([`Global`]), everything else
//! is refused by its name, and nothing is called. Source: Python's `pickletools`; of tensors `torch/_utils.py` and
//! `torch/serialization.py`.

use crate::WeightsError;

/// More objects, or places that hold one, are refused: files of tensors have some ten a tensor. What an instruction copies
/// counts again: a program may name one long list many times.
const MOST_HELD: usize = 1 << 20;
/// A longer program is refused.
const MOST_BYTES: usize = 16 << 20;
/// A tensor of more axes, or numbers with a longer name, are refused.
const MOST_AXES: usize = 32;
const LONGEST_KEY: usize = 256;

/// Number of a node. Objects that are named twice are there once.
pub(super) type Id = usize;

/// What a program made.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Bool(bool),
    Int(i64),
    Text(String),
    /// A list too.
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage),
    Tensor(Tensor),
    /// What tensors do not need: nothing, fractions, bytes, long integers.
    Other,
}

/// What may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    Storage(Number),
}

/// Types of a tensor's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    F64,
    F32,
    F16,
    Bf16,
    /// Whole numbers of so many bytes.
    Whole(usize),
}

impl Number {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Whole(bytes) => bytes,
        }
    }
}

/// Numbers that lie outside the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: String,
    pub(super) number: Number,
    pub(super) len: usize,
}

/// A view of a storage.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) storage: Storage,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) stride: Vec<usize>,
}

/// A program's result.
#[derive(Debug)]
pub(super) struct Pickle {
    nodes: Vec<Node>,
    top: Id,
    /// Every storage that was named.
    pub(super) storages: Vec<Storage>,
    /// Bytes of the program.
    pub(super) len: usize,
}

impl Pickle {
    /// Reads the program at the beginning of some bytes.
    ///
    /// # Errors
    /// When it is damaged, does what files of tensors do not, or names what is not on the list.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, WeightsError> {
        let bytes = &bytes[..bytes.len().min(MOST_BYTES)];
        let mut machine = Machine {
            bytes,
            at: 0,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            held: 0,
        };
        let top = machine.run()?;
        let mut storages: Vec<Storage> = Vec::new();
        for node in &machine.nodes {
            if let Node::Storage(storage) = node {
                storages.push(storage.clone());
            }
        }
        Ok(Self { nodes: machine.nodes, top, storages, len: machine.at })
    }

    pub(super) fn top(&self) -> &Node {
        &self.nodes[self.top]
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The entries of a dictionary that have names.
    pub(super) fn named<'p>(&'p self, node: &'p Node) -> impl Iterator<Item = (&'p str, &'p Node)> {
        let entries = if let Node::Dict(entries) = node { &entries[..] } else { &[] };
        entries.iter().filter_map(|&(key, value)| match &self.nodes[key] {
            Node::Text(name) => Some((name.as_str(), &self.nodes[value])),
            _ => None,
        })
    }
}

struct Machine<'b> {
    bytes: &'b [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
    /// Objects and places so far.
    held: usize,
}

fn damaged(what: impl Into<String>) -> WeightsError {
    WeightsError::Damaged(what.into())
}

impl<'b> Machine<'b> {
    fn run(&mut self) -> Result<Id, WeightsError> {
        loop {
            let op = self.byte()?;
            match op {
                b'.' => return self.pop(),
                0x80 => {
                    let version = self.byte()?;
                    if !(2..=5).contains(&version) {
                        return Err(damaged(format!("a pickle of version {version}; 2 to 5 are read")));
                    }
                }
                0x95 => drop(self.take(8)?),
                b'(' => {
                    self.hold(1)?;
                    self.marks.push(self.stack.len());
                }
                b'0' => drop(self.pop()?),
                b'1' => drop(self.pop_to_mark()?),
                b'N' | b'G' | 0x8a | 0x8b | b'B' | b'C' | b'K' | b'M' | b'J' | 0x88 | 0x89 => self.number(op)?,
                b'X' | 0x8c | 0x8d | b'T' | b'U' => {
                    let width = match op {
                        0x8d => 8,
                        b'X' | b'T' => 4,
                        _ => 1,
                    };
                    let text = String::from_utf8_lossy(self.sized(width)?).into_owned();
                    self.push(Node::Text(text))?;
                }
                b'}' => self.push(Node::Dict(Vec::new()))?,
                b']' | b')' => self.push(Node::Tuple(Vec::new()))?,
                b't' | b'l' => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::Tuple(items))?;
                }
                0x85..=0x87 => {
                    let from = self.stack.len().checked_sub(usize::from(op - 0x84)).ok_or_else(|| self.empty())?;
                    let items = self.stack.split_off(from);
                    self.push(Node::Tuple(items))?;
                }
                b'q' | b'r' | 0x94 | b'h' | b'j' => self.memo(op)?,
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    let global = global(&module, &name)?;
                    self.push(Node::Global(global))?;
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let (Node::Text(module), Node::Text(name)) = (&self.nodes[module], &self.nodes[name]) else {
                        return Err(damaged("a name that is no text"));
                    };
                    let global = global(module, name)?;
                    self.push(Node::Global(global))?;
                }
                b'Q' => {
                    let id = self.pop()?;
                    let storage = self.storage(id)?;
                    self.push(Node::Storage(storage))?;
                }
                b'R' | 0x81 => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    self.call(function, arguments)?;
                }
                // What a dictionary or tensor carries beside its content is not wanted.
                b'b' => drop(self.pop()?),
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.add_entries(&[key, value])?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?;
                    self.add_entries(&items)?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.add_items(vec![item])?;
                }
                b'e' => {
                    let items = self.pop_to_mark()?;
                    self.add_items(items)?;
                }
                _ => return Err(damaged(format!("the instruction {op:#04x} at byte {} is not read", self.at - 1))),
            }
        }
    }

    fn empty(&self) -> WeightsError {
        damaged(format!("nothing is left to take at byte {}", self.at))
    }

    fn take(&mut self, len: usize) -> Result<&'b [u8], WeightsError> {
        let end = self.at.checked_add(len).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| damaged("it ends too early"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, WeightsError> {
        Ok(self.take(1)?[0])
    }

    /// A number of so many bytes, the lowest first.
    fn unsigned(&mut self, bytes: usize) -> Result<usize, WeightsError> {
        let number = self.take(bytes)?.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
        usize::try_from(number).map_err(|_| damaged("a length that no file has"))
    }

    /// Bytes behind their number.
    fn sized(&mut self, width: usize) -> Result<&'b [u8], WeightsError> {
        let len = self.unsigned(width)?;
        self.take(len)
    }

    fn line(&mut self) -> Result<String, WeightsError> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| damaged("it ends too early"))?;
        let line = String::from_utf8_lossy(self.take(len)?).into_owned();
        self.at += 1;
        Ok(line)
    }

    fn push(&mut self, node: Node) -> Result<(), WeightsError> {
        self.nodes.push(node);
        self.push_id(self.nodes.len() - 1)
    }

    fn push_id(&mut self, id: Id) -> Result<(), WeightsError> {
        self.hold(1)?;
        self.stack.push(id);
        Ok(())
    }

    /// Counts what is held.
    fn hold(&mut self, places: usize) -> Result<(), WeightsError> {
        self.held = self.held.saturating_add(places);
        if self.held > MOST_HELD {
            return Err(damaged(format!("more than {MOST_HELD} objects")));
        }
        Ok(())
    }

    /// Nothing below a mark can be taken.
    fn pop(&mut self) -> Result<Id, WeightsError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(self.empty());
        }
        self.stack.pop().ok_or_else(|| self.empty())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, WeightsError> {
        let mark = self.marks.pop().ok_or_else(|| self.empty())?;
        if mark > self.stack.len() {
            return Err(self.empty());
        }
        Ok(self.stack.split_off(mark))
    }

    fn number(&mut self, op: u8) -> Result<(), WeightsError> {
        let node = match op {
            b'K' => Node::Int(self.unsigned(1)? as i64),
            b'M' => Node::Int(self.unsigned(2)? as i64),
            b'J' => Node::Int(i64::from(self.unsigned(4)? as u32 as i32)),
            0x88 | 0x89 => Node::Bool(op == 0x88),
            0x8a => {
                let bytes = self.sized(1)?;
                match bytes.len() {
                    0..=8 => {
                        // The sign is that of the highest byte.
                        let fill = if bytes.last().is_some_and(|&byte| byte >= 0x80) { -1i64 } else { 0 };
                        Node::Int(bytes.iter().rev().fold(fill, |number, &byte| number << 8 | i64::from(byte)))
                    }
                    _ => Node::Other,
                }
            }
            _ => {
                match op {
                    b'G' => drop(self.take(8)?),
                    b'C' => drop(self.sized(1)?),
                    b'B' | 0x8b => drop(self.sized(4)?),
                    _ => {}
                }
                Node::Other
            }
        };
        self.push(node)
    }

    fn memo(&mut self, op: u8) -> Result<(), WeightsError> {
        let place = match op {
            0x94 => self.memo.len(),
            b'q' | b'h' => self.unsigned(1)?,
            _ => self.unsigned(4)?,
        };
        if place >= MOST_HELD {
            return Err(damaged(format!("more than {MOST_HELD} objects")));
        }
        if matches!(op, b'h' | b'j') {
            let known = self.memo.get(place).copied().flatten();
            return self.push_id(known.ok_or_else(|| damaged(format!("object {place} is used before it is there")))?);
        }
        let top = self.stack.last().copied().ok_or_else(|| self.empty())?;
        if self.memo.len() <= place {
            self.memo.resize(place + 1, None);
        }
        self.memo[place] = Some(top);
        Ok(())
    }

    fn add_entries(&mut self, items: &[Id]) -> Result<(), WeightsError> {
        let top = self.stack.last().copied().ok_or_else(|| self.empty())?;
        let Node::Dict(entries) = &mut self.nodes[top] else { return Err(damaged("entries of what is no dictionary")) };
        entries.extend(items.as_chunks::<2>().0.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn add_items(&mut self, items: Vec<Id>) -> Result<(), WeightsError> {
        let top = self.stack.last().copied().ok_or_else(|| self.empty())?;
        let Node::Tuple(all) = &mut self.nodes[top] else { return Err(damaged("items of what is no list")) };
        all.extend(items);
        Ok(())
    }

    fn items(&self, id: Id) -> Result<&[Id], WeightsError> {
        if let Node::Tuple(items) = &self.nodes[id] { Ok(items) } else { Err(damaged("a list was expected")) }
    }

    fn size(&self, id: Id) -> Result<usize, WeightsError> {
        let size = if let Node::Int(number) = self.nodes[id] { usize::try_from(number).ok() } else { None };
        size.ok_or_else(|| damaged("a size was expected"))
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>, WeightsError> {
        let items = self.items(id)?;
        if items.len() > MOST_AXES {
            return Err(damaged(format!("a tensor of more than {MOST_AXES} axes")));
        }
        items.iter().map(|&id| self.size(id)).collect()
    }

    /// `("storage", type, key, device, length)`, and in files of the older layout what it is a view of.
    fn storage(&self, id: Id) -> Result<Storage, WeightsError> {
        let &[what, kind, key, _device, len, ref view @ ..] = self.items(id)? else {
            return Err(damaged("a reference that is none to numbers"));
        };
        let (Node::Text(what), &Node::Global(Global::Storage(number)), Node::Text(key)) =
            (&self.nodes[what], &self.nodes[kind], &self.nodes[key])
        else {
            return Err(damaged("a reference that is none to numbers"));
        };
        if what != "storage" || view.iter().any(|&id| !matches!(self.nodes[id], Node::Other)) {
            return Err(damaged("numbers that are a part of others: save the file anew with a current PyTorch"));
        }
        if key.len() > LONGEST_KEY {
            return Err(damaged("numbers with a name that is too long"));
        }
        Ok(Storage { key: key.clone(), number, len: self.size(len)? })
    }

    fn call(&mut self, function: Id, arguments: Id) -> Result<(), WeightsError> {
        let &Node::Global(function) = &self.nodes[function] else {
            return Err(damaged("a call of what is no function"));
        };
        self.hold(self.items(arguments)?.len())?;
        let arguments = self.items(arguments)?.to_vec();
        match (function, &arguments[..]) {
            (Global::OrderedDict, []) => self.push(Node::Dict(Vec::new())),
            (Global::OrderedDict, &[pairs]) => {
                self.hold(self.items(pairs)?.len())?;
                let mut entries = Vec::new();
                for &pair in self.items(pairs)? {
                    let &[key, value] = self.items(pair)? else { return Err(damaged("a pair was expected")) };
                    entries.push((key, value));
                }
                self.push(Node::Dict(entries))
            }
            (Global::RebuildTensor, &[storage, offset, shape, stride, ..]) => {
                let Node::Storage(storage) = &self.nodes[storage] else {
                    return Err(damaged("a tensor without numbers"));
                };
                let (shape, stride) = (self.sizes(shape)?, self.sizes(stride)?);
                if shape.len() != stride.len() {
                    return Err(damaged("a tensor with axes of no length"));
                }
                let tensor = Tensor { storage: storage.clone(), offset: self.size(offset)?, shape, stride };
                self.push(Node::Tensor(tensor))
            }
            (Global::RebuildParameter | Global::Size, &[inner, ..]) => self.push_id(inner),
            _ => Err(damaged("a call with other arguments than PyTorch's")),
        }
    }
}

fn global(module: &str, name: &str) -> Result<Global, WeightsError> {
    Ok(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch", "Size") => Global::Size,
        ("torch", "DoubleStorage") => Global::Storage(Number::F64),
        ("torch", "FloatStorage") => Global::Storage(Number::F32),
        ("torch", "HalfStorage") => Global::Storage(Number::F16),
        ("torch", "BFloat16Storage") => Global::Storage(Number::Bf16),
        ("torch", "LongStorage") => Global::Storage(Number::Whole(8)),
        ("torch", "IntStorage") => Global::Storage(Number::Whole(4)),
        ("torch", "ShortStorage") => Global::Storage(Number::Whole(2)),
        ("torch", "ByteStorage" | "CharStorage" | "BoolStorage") => Global::Storage(Number::Whole(1)),
        _ => return Err(WeightsError::Foreign { object: format!("{module}.{name}") }),
    })
}

//! Files of weights that are damaged or forged, in one table a format: each is refused with a sentence that says why.

use std::collections::BTreeSet;

use super::content::{Data, tensors};

/// What `tensors` says of a file, the numbers of all its tensors included.
fn said(bytes: &[u8]) -> Result<usize, String> {
    let tensors = tensors(bytes).map_err(|error| error.to_string())?;
    for (name, tensor) in &tensors {
        tensor.values(name).map_err(|error| error.to_string())?;
    }
    Ok(tensors.len())
}

/// A row: what it is, the file, and a part of what must be said.
type Row = (&'static str, Vec<u8>, &'static str);

fn check(rows: Vec<Row>) {
    for (what, bytes, wanted) in rows {
        match said(&bytes) {
            Ok(count) => panic!("{what}: {count} tensors are read"),
            Err(error) => assert!(error.contains(wanted), "{what}: {error}"),
        }
    }
}

// ---- .safetensors

/// A header of its own length, and numbers.
fn safetensors(header: &str, numbers: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; numbers]].concat()
}

fn with_length(length: u64, bytes: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes()[..], bytes].concat()
}

#[test]
fn a_forged_safetensors_is_refused() {
    let one = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    assert_eq!(said(&safetensors(one, 8)), Ok(1));
    let with = |old: &str, new: &str| {
        assert!(one.contains(old), "{old}");
        safetensors(&one.replace(old, new), 8)
    };
    let two = |b: &str| {
        let b = format!(r#""b":{{"dtype":"F32","shape":[2],"data_offsets":{b}}}"#);
        safetensors(&one.replace("}}", &format!("}},{b}}}")), 16)
    };
    assert_eq!(said(&two("[8,16]")), Ok(2));
    let nested = format!(r#"{{"__metadata__":{}"#, "[".repeat(100_000));
    check(vec![
        ("nothing", Vec::new(), "damaged"),
        ("a length cut short", vec![8, 0, 0], "damaged"),
        ("no header", with_length(0, b""), "damaged"),
        ("a header longer than the file", with_length(1000, one.as_bytes()), "damaged"),
        ("a header longer than memory", with_length(u64::MAX, one.as_bytes()), "damaged"),
        ("a header whose end overflows", with_length(u64::MAX - 7, one.as_bytes()), "damaged"),
        ("a header that is no text", with_length(4, &[0xff; 4]), "damaged"),
        ("a header that is no JSON", safetensors("{]", 0), "damaged"),
        ("a header cut short", safetensors(&one[..one.len() - 1], 8), "damaged"),
        ("a header nested without end", safetensors(&nested, 0), "damaged"),
        ("numbers cut short", safetensors(one, 7), "damaged"),
        ("more numbers than are told of", safetensors(one, 12), "damaged"),
        ("offsets behind the file", with("[0,8]", "[0,80]"), "damaged"),
        ("offsets that begin behind the file", with("[0,8]", "[800,808]"), "damaged"),
        ("offsets backwards", with("[0,8]", "[8,0]"), "damaged"),
        ("negative offsets", with("[0,8]", "[-8,0]"), "damaged"),
        ("offsets too large for a number", with("[0,8]", "[0,18446744073709551616]"), "damaged"),
        ("offsets with a gap before them", with("[0,8]", "[4,8]"), "damaged"),
        ("fewer bytes than the shape has", with("[2]", "[3]"), "damaged"),
        ("sizes that overflow", with("[2]", "[4294967296,4294967296,4]"), "damaged"),
        ("sizes whose product overflows to the right one", with("[2]", "[9223372036854775809,2]"), "damaged"),
        ("an unknown type", with("F32", "F33"), "damaged"),
        ("whole numbers", with("F32", "I32"), "holds I32, a weight must be"),
        ("two tensors in one place", two("[0,8]"), "damaged"),
        ("two tensors that overlap", two("[4,12]"), "damaged"),
        ("a hole between two tensors", two("[12,20]"), "damaged"),
    ]);
}

// ---- .pth, zip

/// A file in a zip archive, with what a forger changes.
#[derive(Clone)]
struct Entry<'b> {
    name: &'b str,
    content: &'b [u8],
    /// 0: stored, 8: deflated.
    method: u16,
    /// 1: encrypted.
    flags: u16,
    /// What the directory says of its size, where that is a lie.
    size: Option<u32>,
    /// Where it lies, likewise.
    place: Option<u32>,
    /// Type and rights as Unix has them.
    mode: u32,
}

fn entry<'b>(name: &'b str, content: &'b [u8]) -> Entry<'b> {
    Entry { name, content, method: 0, flags: 0, size: None, place: None, mode: 0o100_644 }
}

/// An archive of these entries. Sums are left out, as PyTorch may leave them out.
fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let (place, len) = (file.len() as u32, entry.content.len() as u32);
        let size = entry.size.unwrap_or(len);
        let mut both = Vec::new();
        for half in [20, entry.flags, entry.method, 0, 0] {
            both.extend(half.to_le_bytes());
        }
        for word in [0, size, size] {
            both.extend(word.to_le_bytes());
        }
        both.extend((entry.name.len() as u16).to_le_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&both);
        file.extend([0; 2]);
        file.extend(entry.name.as_bytes());
        file.extend(entry.content);
        directory.extend(b"PK\x01\x02");
        directory.extend((3u16 << 8 | 20).to_le_bytes());
        directory.extend(&both);
        directory.extend([0; 8]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(entry.place.unwrap_or(place).to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let (start, len, count) = (file.len() as u32, directory.len() as u32, entries.len() as u16);
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    file.extend([len.to_le_bytes(), start.to_le_bytes()].concat());
    file.extend([0; 2]);
    file
}

/// A text of a program.
fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

/// A program whose state dict has one tensor "a" of two numbers, in a storage of this name and length.
fn program(key: &str, len: i64) -> Vec<u8> {
    let storage = [&b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"[..], &text(key), &text("cpu")].concat();
    let len = [&b"\x8a\x08"[..], &len.to_le_bytes()].concat();
    let tensor =
        [&b"ctorch._utils\n_rebuild_tensor_v2\n("[..], &storage, &len, b"tQK\x00K\x02\x85K\x01\x85\x89}tR"].concat();
    [&b"\x80\x02}"[..], &text("a"), &tensor, b"s."].concat()
}

#[test]
fn a_forged_zip_file_is_refused() {
    let (one, numbers) = (program("0", 2), [0; 8]);
    let whole = [entry("archive/data.pkl", &one), entry("archive/data/0", &numbers)];
    assert_eq!(said(&zip(&whole)), Ok(1));
    let [object, storage] = &whole;
    let with_storage = |storage: Entry<'_>| zip(&[object.clone(), storage]);
    let outside = program("../../../../etc/passwd", 2);
    let absolute = program("/etc/passwd", 2);
    let upwards = program("../data.pkl", 2);
    let (larger, huge, negative) = (program("0", 3), program("0", i64::MAX), program("0", -1));
    let alone = |object| zip(&[entry("archive/data.pkl", object), storage.clone()]);
    let file = zip(&whole);
    let cut = |behind: usize| file[..file.len() - behind].to_vec();
    let directory = file.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("it has a directory");
    check(vec![
        ("its beginning alone", file[..4].to_vec(), "damaged"),
        ("its end cut off", cut(1), "damaged"),
        ("its directory cut off", cut(30), "damaged"),
        ("a part of its middle taken out", [&file[..60], &file[70..]].concat(), "damaged"),
        ("only its directory", file[directory..].to_vec(), "damaged"),
        ("no program", zip(std::slice::from_ref(storage)), "a zip file without data.pkl"),
        ("no numbers", zip(std::slice::from_ref(object)), "archive/data/0: "),
        (
            "too few numbers",
            with_storage(entry("archive/data/0", &numbers[..7])),
            r#"the numbers of "a" are not all there"#,
        ),
        ("a storage shorter than it says", alone(&larger), r#"the numbers of "a" are not all there"#),
        ("a storage longer than memory", alone(&huge), r#"the numbers of "a" are not all there"#),
        ("a storage of negative length", alone(&negative), "a size was expected"),
        // Names are looked up in the archive; no path is ever opened.
        ("numbers outside the archive", alone(&outside), "archive/data/../../../../etc/passwd: "),
        ("numbers at an absolute place", alone(&absolute), "archive/data//etc/passwd: "),
        ("numbers that are the program", alone(&upwards), "archive/data/../data.pkl: "),
        (
            "two programs",
            zip(&[entry("evil/data.pkl", &larger), object.clone(), storage.clone()]),
            "it has several data.pkl",
        ),
        ("a program twice", zip(&[object.clone(), object.clone(), storage.clone()]), "two files of one name"),
        ("numbers twice", zip(&[object.clone(), storage.clone(), storage.clone()]), "two files of one name"),
        (
            "a program that is a link",
            zip(&[Entry { mode: 0o120_777, ..entry("archive/data.pkl", b"../../etc/passwd") }, storage.clone()]),
            "archive/data.pkl is a link",
        ),
        (
            "numbers that are a link",
            with_storage(Entry { mode: 0o120_777, ..entry("archive/data/0", b"/etc/passwd") }),
            "archive/data/0 is a link",
        ),
        ("numbers that are a folder", with_storage(entry("archive/data/0/", b"")), "archive/data/0: "),
        ("compressed numbers", with_storage(Entry { method: 8, ..storage.clone() }), "archive/data/0 is compressed"),
        ("an unknown method", with_storage(Entry { method: 99, ..storage.clone() }), "archive/data/0"),
        ("encrypted numbers", with_storage(Entry { flags: 1, ..storage.clone() }), "archive/data/0: "),
        (
            "numbers that reach past the end",
            with_storage(Entry { size: Some(1 << 30), ..storage.clone() }),
            "archive/data/0",
        ),
        (
            "numbers that lie past the end",
            with_storage(Entry { place: Some(1 << 30), ..storage.clone() }),
            "archive/data/0",
        ),
        (
            "numbers that lie in the directory",
            with_storage(Entry { place: Some(directory as u32), ..storage.clone() }),
            "archive/data/0",
        ),
        (
            "numbers of another machine",
            zip(&[object.clone(), storage.clone(), entry("archive/byteorder", b"big")]),
            "its numbers begin with their highest byte",
        ),
    ]);
}

/// Many names for the same bytes: what they unpack to is far more than the file, and is never unpacked at once.
#[test]
fn numbers_that_lie_in_one_place_are_there_once() {
    let numbers = vec![0; 1 << 20];
    let names: Vec<String> = (0..1000).map(|number| format!("archive/data/{number}")).collect();
    let len = (1u32 << 18).to_le_bytes();
    let object: Vec<u8> = (0..1000)
        .flat_map(|key| {
            let storage = [
                &b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"[..],
                &text(&key.to_string()),
                &text("cpu"),
                b"J",
                &len,
            ]
            .concat();
            let shape = [&b"J"[..], &len, b"\x85K\x01\x85\x89}tRs"].concat();
            [&text(&key.to_string())[..], b"ctorch._utils\n_rebuild_tensor_v2\n(", &storage, b"tQK\x00", &shape]
                .concat()
        })
        .collect();
    let object = [&b"\x80\x02}"[..], &object, b"."].concat();
    let mut entries = vec![entry("archive/data.pkl", &object), entry(&names[0], &numbers)];
    let place = 30 + "archive/data.pkl".len() + object.len();
    let same = |name| Entry { size: Some(1 << 20), place: Some(place as u32), ..entry(name, b"") };
    entries.extend(names[1..].iter().map(|name| same(name)));
    let file = zip(&entries);
    let tensors = tensors(&file).unwrap_or_else(|error| panic!("{error}"));
    let places = tensors.values().map(|tensor| match tensor.data {
        Data::View(_, bytes) => bytes.as_ptr(),
        Data::Plain(..) => panic!("a tensor of PyTorch's is a view"),
    });
    // A gibibyte, if each had its own.
    assert_eq!((tensors.len(), places.collect::<BTreeSet<_>>().len()), (1000, 1));
}

// ---- pickles

/// An object in a file of the older layout.
fn legacy(object: &[u8]) -> Vec<u8> {
    let magic: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    [magic, b"\x80\x02M\xe9\x03.", b"\x80\x02}.", object, b"\x80\x02]."].concat()
}

/// The object of such a file that has numbers too: so many, it says, behind it.
fn legacy_of(object: &[u8], count: u64, numbers: usize) -> Vec<u8> {
    let mut file = legacy(object);
    file.truncate(file.len() - 4);
    file.extend([&b"\x80\x02]"[..], &text("0"), b"a.", &count.to_le_bytes(), &vec![0; numbers]].concat());
    file
}

#[test]
fn a_hostile_pickle_is_refused() {
    let nested =
        |open: &[u8], close: &[u8]| [b"\x80\x02", &open.repeat(100_000)[..], &close.repeat(99_999), b"."].concat();
    let object = |code: &[u8]| legacy(&[b"\x80\x02", code, b"."].concat());
    let one = program("0", 2);
    assert_eq!(said(&legacy_of(&one, 2, 8)), Ok(1));
    // Every list holds the one before it ten times: Python's would have 10^50 ends.
    let bomb: Vec<u8> = (0..50u8)
        .flat_map(|depth| [&b"("[..], &[b'h', depth].repeat(10), b"t", &[b'q', depth + 1], b"0"].concat())
        .collect();
    let bomb = [b"]q\x00", &bomb[..], b"h\x32"].concat();
    check(vec![
        ("a call", object(b"cos\nsystem\n(X\x04\x00\x00\x00truetR"), "the file holds os.system"),
        ("a call by posix's name", object(b"cposix\nsystem\n(X\x04\x00\x00\x00truetR"), "the file holds posix.system"),
        (
            "a call of a builtin",
            object(b"c__builtin__\neval\n(X\x01\x00\x00\x001tR"),
            "the file holds __builtin__.eval",
        ),
        ("a name from the stack", object(b"\x8c\x0asubprocess\x8c\x05Popen\x93"), "the file holds subprocess.Popen"),
        (
            "a name of several parts",
            object(b"\x8c\x05torch\x8c\x0dSize.__init__\x93"),
            "the file holds torch.Size.__init__",
        ),
        ("an attribute of torch", object(b"ctorch\nload\n"), "the file holds torch.load"),
        ("an instance", object(b"(ios\nsystem\n"), "the instruction 0x69"),
        ("an object of a class", object(b"(cos\nsystem\no"), "the file holds os.system"),
        ("an object of a registered class", object(b"\x82\x01"), "the instruction 0x82"),
        ("a reference by text", object(b"P0\n"), "the instruction 0x50"),
        ("a buffer from outside", object(b"\x97"), "the instruction 0x97"),
        ("lists in lists", legacy(&nested(b"]", b"a")), "it holds no tensors by name"),
        ("tuples in tuples", legacy(&nested(b"(", b"t")), "it holds no tensors by name"),
        ("lists of lists of lists", object(&bomb), "it holds no tensors by name"),
        ("a list in itself", object(b"]q\x00h\x00a"), "it holds no tensors by name"),
        ("a dictionary in itself", object(b"}q\x00X\x01\x00\x00\x00ah\x00s"), "it holds no tensors by name"),
        ("a place far away", object(b"Nr\xff\xff\xff\x7f"), "more than 1048576 objects"),
        ("a text of 2^64 - 1 bytes", object(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), "it ends too early"),
        ("bytes of 2^32 - 1", object(b"B\xff\xff\xff\xff"), "it ends too early"),
        ("a whole number of 2^32 - 1 bytes", object(b"\x8b\xff\xff\xff\xff"), "it ends too early"),
        ("a frame cut short", object(b"\x95\xff"), "damaged"),
        ("a later version", legacy(b"\x80\x06}."), "a pickle of version 6"),
        ("no end", legacy(b"\x80\x02}")[..29].to_vec(), "it ends too early"),
        ("numbers cut short", legacy_of(&one, 2, 7), "it ends too early"),
        ("more numbers than can be counted", legacy_of(&one, u64::MAX, 8), "it ends too early"),
        ("numbers whose bytes overflow", legacy_of(&one, 1 << 62, 8), "it ends too early"),
        ("fewer numbers than are named", legacy_of(&one, 1, 8), r#"the numbers of "a" are not all there"#),
        (
            "a storage longer than memory",
            legacy_of(&program("0", i64::MAX), 2, 8),
            r#"the numbers of "a" are not all there"#,
        ),
        ("numbers that no tensor names", legacy_of(&program("1", 2), 2, 8), "numbers that no tensor names"),
    ]);
}

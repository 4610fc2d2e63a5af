//! A writer of MaxMind's database format, as far as a test needs it: a binary search tree, the records, the metadata.
//!
//! Written from the published specification of the format (version 2.0). Nobody's data is in it: networks are those set
//! aside for documentation, operators and their numbers are made up.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A value of a record.
#[derive(Clone)]
pub enum Field {
    Text(&'static str),
    Number(u32),
    Map(Vec<(&'static str, Self)>),
}

/// What one half of a node of the tree leads to.
#[derive(Clone, Copy)]
enum Way {
    Nowhere,
    Node(usize),
    Record(usize),
}

/// Writes a database of the given kind over networks such as `203.0.113.0/24`.
pub fn database(kind: &'static str, networks: &[(&str, Field)]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut tree = vec![[Way::Nowhere; 2]];
    for (network, record) in networks {
        let offset = data.len();
        write(&mut data, record);
        insert(&mut tree, network, offset);
    }
    let nodes = tree.len();
    let mut bytes = Vec::new();
    for way in tree.iter().flatten() {
        let value = match way {
            Way::Nowhere => nodes,
            Way::Node(at) => *at,
            // The data section begins sixteen bytes behind the tree.
            Way::Record(offset) => nodes + 16 + offset,
        };
        bytes.extend_from_slice(&u32::try_from(value).expect("small").to_be_bytes());
    }
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend_from_slice(&data);
    bytes.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    control(&mut bytes, 7, 9);
    for (name, number) in [
        ("binary_format_major_version", 2),
        ("binary_format_minor_version", 0),
        ("ip_version", 6),
        ("record_size", 32),
    ] {
        write(&mut bytes, &Field::Text(name));
        // Sixteen bits: type 5.
        control(&mut bytes, 5, 2);
        bytes.extend_from_slice(&u16::to_be_bytes(number));
    }
    write(&mut bytes, &Field::Text("node_count"));
    write(&mut bytes, &Field::Number(u32::try_from(nodes).expect("small")));
    write(&mut bytes, &Field::Text("build_epoch"));
    // Sixty-four bits: type 9, in the extended notation.
    bytes.extend_from_slice(&[8, 2]);
    bytes.extend_from_slice(&1_770_000_000_u64.to_be_bytes());
    write(&mut bytes, &Field::Text("database_type"));
    write(&mut bytes, &Field::Text(kind));
    write(&mut bytes, &Field::Text("description"));
    write(&mut bytes, &Field::Map(vec![("en", Field::Text("made by a test"))]));
    write(&mut bytes, &Field::Text("languages"));
    // An array, type 11 in the extended notation, of no element.
    bytes.extend_from_slice(&[0, 4]);
    bytes
}

/// Adds a network to the tree; IPv4 lies below ninety-six zero bits.
fn insert(tree: &mut Vec<[Way; 2]>, network: &str, offset: usize) {
    let (address, bits) = network.split_once('/').expect("a network");
    let bits: u32 = bits.parse().expect("bits");
    let (number, bits) = match address.parse::<IpAddr>().expect("an address") {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), bits + 96),
        IpAddr::V6(v6) => (u128::from(v6), bits),
    };
    let mut at = 0;
    for depth in 0..bits {
        let side = usize::from(number >> (127 - depth) & 1 == 1);
        if depth + 1 == bits {
            tree[at][side] = Way::Record(offset);
        } else if let Way::Node(next) = tree[at][side] {
            at = next;
        } else {
            tree.push([Way::Nowhere; 2]);
            let next = tree.len() - 1;
            tree[at][side] = Way::Node(next);
            at = next;
        }
    }
}

/// The byte before a value: its type in the upper three bits, its size in the lower five.
fn control(bytes: &mut Vec<u8>, kind: u8, size: usize) {
    match u8::try_from(size).expect("small") {
        size @ 0..29 => bytes.push(kind << 5 | size),
        size => bytes.extend_from_slice(&[kind << 5 | 29, size - 29]),
    }
}

fn write(bytes: &mut Vec<u8>, field: &Field) {
    match field {
        Field::Text(text) => {
            control(bytes, 2, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
        Field::Number(number) => {
            control(bytes, 6, 4);
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        Field::Map(fields) => {
            let fields: BTreeMap<&str, &Field> = fields.iter().map(|(name, field)| (*name, field)).collect();
            control(bytes, 7, fields.len());
            for (name, field) in fields {
                control(bytes, 2, name.len());
                bytes.extend_from_slice(name.as_bytes());
                write(bytes, field);
            }
        }
    }
}

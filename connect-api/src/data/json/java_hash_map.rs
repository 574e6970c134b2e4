//! The order in which a Java `HashMap` gives back what was put into it.
//!
//! Bins come in the order of their index, and in a bin keys come in the order they were put. A bin that would hold nine keys makes a
//! small table grow; in a large one it becomes a red-black tree whose root moves to the front of the bin.

use std::cmp::Ordering;

use super::Node;
use crate::data::Value;

/// Keys that a bin may hold before something happens.
const FULL_BIN: usize = 8;

/// Bins of a new table.
const FEWEST_BINS: usize = 16;

/// Brings the members into the order of a hash map into which they were put one after the other.
pub(super) fn arrange(members: &mut Vec<(Node<'_>, Node<'_>)>) {
    let codes = members.iter().map(|(name, _)| string_code(name.units()));
    let compare = |one: Key, other: Key| members[one.index].0.units().cmp(members[other.index].0.units());
    *members = order(codes, &compare).into_iter().map(|index| members[index]).collect();
}

/// The places of a map's entries, in the order in which a hash map on the JVM would give them back. Where keys have no hash there that is the same each time (bytes,
/// structs), or one that nobody would need (decimals, arrays), they stay in their order.
pub fn java_map_order(entries: &[(Value, Value)]) -> Vec<usize> {
    if !entries.iter().all(|(key, _)| has_code(key)) {
        return (0..entries.len()).collect();
    }
    order(entries.iter().map(|(key, _)| value_code(key)), &|one, other| compare(&entries[one.index].0, &entries[other.index].0))
}

/// The places of keys with these hash codes.
fn order(codes: impl Iterator<Item = u32>, compare: Compare<'_>) -> Vec<usize> {
    let key = |(index, code): (usize, u32)| Key { hash: (code ^ code >> 16).cast_signed(), index };
    let mut keys: Vec<_> = codes.enumerate().map(key).collect();
    let bins = bins_for(keys.len());
    if has_full_bin(&keys, bins) {
        keys = Map::of(&keys, compare).keys().collect();
    } else {
        keys.sort_by_key(|key| key.bin(bins));
    }
    keys.into_iter().map(|key| key.index).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    hash: i32,
    index: usize,
}

impl Key {
    fn bin(self, bins: usize) -> usize {
        self.hash.cast_unsigned() as usize & (bins - 1)
    }
}

/// `String.hashCode`.
fn string_code(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0, |code, unit| code.wrapping_mul(31).wrapping_add(unit.into()))
}

fn has_code(value: &Value) -> bool {
    !matches!(value, Value::Bytes(_) | Value::Decimal(_) | Value::Array(_) | Value::Map(_) | Value::Struct(_) | Value::Json(_))
}

/// `hashCode` of the class that a value has on the JVM.
fn value_code(value: &Value) -> u32 {
    /// `Long.hashCode`.
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    fn long(value: u64) -> u32 {
        (value ^ value >> 32) as u32
    }
    match value {
        Value::Boolean(true) => 1231,
        Value::Boolean(false) => 1237,
        Value::Int8(value) => i32::from(*value).cast_unsigned(),
        Value::Int16(value) => i32::from(*value).cast_unsigned(),
        Value::Int32(value) => value.cast_unsigned(),
        Value::Int64(value) => long(value.cast_unsigned()),
        Value::Float32(value) => value.to_bits(),
        Value::Float64(value) => long(value.to_bits()),
        Value::String(text) => string_code(text.encode_utf16()),
        other => other.epoch_millis().map_or(0, |time| long(time.cast_unsigned())),
    }
}

/// The order of two keys of one class.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Int8(one), Value::Int8(other)) => one.cmp(other),
        (Value::Int16(one), Value::Int16(other)) => one.cmp(other),
        (Value::Int32(one), Value::Int32(other)) => one.cmp(other),
        (Value::Int64(one), Value::Int64(other)) => one.cmp(other),
        (Value::String(one), Value::String(other)) => one.encode_utf16().cmp(other.encode_utf16()),
        _ => Ordering::Equal,
    }
}

/// The table grows when it is more than three quarters full.
fn bins_for(len: usize) -> usize {
    let mut bins = FEWEST_BINS;
    while len > bins / 4 * 3 {
        bins *= 2;
    }
    bins
}

/// Whether a bin holds more than [`FULL_BIN`] keys at some time while the table grows.
fn has_full_bin(keys: &[Key], bins: usize) -> bool {
    let sizes = std::iter::successors(Some(FEWEST_BINS), |bins| Some(bins * 2)).take_while(|&size| size <= bins);
    keys.len() > FULL_BIN
        && sizes.into_iter().any(|size| {
            let mut counts = vec![0usize; size];
            let held = &keys[..keys.len().min(size / 4 * 3 + 1)];
            held.iter().any(|key| {
                let count = &mut counts[key.bin(size)];
                *count += 1;
                *count > FULL_BIN
            })
        })
}

/// The order of two keys.
type Compare<'a> = &'a dyn Fn(Key, Key) -> Ordering;

/// The table, step by step as Java fills it.
struct Map<'a> {
    bins: Vec<Bin>,
    len: usize,
    compare: Compare<'a>,
}

#[derive(Default)]
struct Bin {
    /// In the order they come.
    keys: Vec<Key>,
    tree: Option<RedBlackTree>,
}

impl<'a> Map<'a> {
    fn of(keys: &[Key], compare: Compare<'a>) -> Self {
        let mut map = Self { bins: Vec::new(), len: 0, compare };
        map.bins.resize_with(FEWEST_BINS, Bin::default);
        for &key in keys {
            map.put(key);
        }
        map
    }

    fn keys(self) -> impl Iterator<Item = Key> {
        self.bins.into_iter().flat_map(|bin| bin.keys)
    }

    fn put(&mut self, key: Key) {
        /// Smaller tables grow instead of keeping trees.
        const FEWEST_BINS_WITH_TREES: usize = 64;
        let bins = self.bins.len();
        let bin = &mut self.bins[key.bin(bins)];
        if let Some(tree) = &mut bin.tree {
            let parent = tree.insert(key, self.compare);
            let after = bin.keys.iter().position(|&held| Some(held) == parent).map_or(0, |place| place + 1);
            bin.keys.insert(after, key);
            bin.root_to_front();
        } else {
            bin.keys.push(key);
            if bin.keys.len() > FULL_BIN {
                if bins < FEWEST_BINS_WITH_TREES {
                    self.grow();
                } else {
                    bin.make_tree(self.compare);
                }
            }
        }
        self.len += 1;
        if self.len > self.bins.len() / 4 * 3 {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.bins);
        let count = old.len();
        self.bins.resize_with(count * 2, Bin::default);
        for (index, bin) in old.into_iter().enumerate() {
            let (low, high) = bin.keys.iter().partition(|key| key.bin(count * 2) == index);
            let moved = [(index, low), (index + count, high)];
            let split = moved.iter().all(|(_, keys): &(usize, Vec<Key>)| !keys.is_empty());
            for (index, keys) in moved.into_iter().filter(|(_, keys)| !keys.is_empty()) {
                self.bins[index].take(keys, bin.tree.as_ref(), split, self.compare);
            }
        }
    }
}

impl Bin {
    /// Takes keys of a bin with this tree over; `split` where others of it went elsewhere.
    fn take(&mut self, keys: Vec<Key>, tree: Option<&RedBlackTree>, split: bool, compare: Compare<'_>) {
        /// A tree with no more keys becomes a list again.
        const SMALLEST_TREE: usize = 6;
        self.keys = keys;
        if let Some(tree) = tree.filter(|_| self.keys.len() > SMALLEST_TREE) {
            if split {
                self.make_tree(compare);
            } else {
                self.tree = Some(tree.clone());
            }
        }
    }

    fn make_tree(&mut self, compare: Compare<'_>) {
        let mut tree = RedBlackTree::default();
        for &key in &self.keys {
            tree.insert(key, compare);
        }
        self.tree = Some(tree);
        self.root_to_front();
    }

    fn root_to_front(&mut self) {
        let root = self.tree.as_ref().and_then(RedBlackTree::root);
        if let Some(place) = self.keys.iter().position(|&key| Some(key) == root) {
            let root = self.keys.remove(place);
            self.keys.insert(0, root);
        }
    }
}

const LEFT: usize = 0;
const RIGHT: usize = 1;

/// The tree of a bin: by hash, then by name.
#[derive(Clone, Debug, Default)]
struct RedBlackTree {
    nodes: Vec<TreeNode>,
    root: Option<usize>,
}

#[derive(Clone, Debug)]
struct TreeNode {
    key: Key,
    red: bool,
    parent: Option<usize>,
    children: [Option<usize>; 2],
}

impl RedBlackTree {
    fn root(&self) -> Option<Key> {
        self.root.map(|root| self.nodes[root].key)
    }

    /// Adds a key and tells under which one it was put at first.
    fn insert(&mut self, key: Key, compare: Compare<'_>) -> Option<Key> {
        let (mut parent, mut side, mut next) = (None, LEFT, self.root);
        while let Some(node) = next {
            let held = self.nodes[node].key;
            let order = key.hash.cmp(&held.hash).then_with(|| compare(key, held));
            side = if order.is_lt() { LEFT } else { RIGHT };
            parent = Some(node);
            next = self.nodes[node].children[side];
        }
        let added = self.nodes.len();
        self.nodes.push(TreeNode { key, red: true, parent, children: [None, None] });
        match parent {
            Some(parent) => self.nodes[parent].children[side] = Some(added),
            None => self.root = Some(added),
        }
        self.balance(added);
        parent.map(|parent| self.nodes[parent].key)
    }

    fn balance(&mut self, mut node: usize) {
        while let Some(mut parent) = self.nodes[node].parent
            && self.nodes[parent].red
            && let Some(grandparent) = self.nodes[parent].parent
        {
            let side = self.side_of(parent, grandparent);
            let uncle = self.nodes[grandparent].children[1 - side];
            self.nodes[grandparent].red = true;
            if let Some(uncle) = uncle.filter(|&uncle| self.nodes[uncle].red) {
                self.nodes[parent].red = false;
                self.nodes[uncle].red = false;
                node = grandparent;
                continue;
            }
            if self.side_of(node, parent) != side {
                self.rotate(parent, side);
                (node, parent) = (parent, node);
            }
            self.nodes[parent].red = false;
            self.rotate(grandparent, 1 - side);
        }
        if let Some(root) = self.root {
            self.nodes[root].red = false;
        }
    }

    fn side_of(&self, child: usize, parent: usize) -> usize {
        if self.nodes[parent].children[LEFT] == Some(child) { LEFT } else { RIGHT }
    }

    /// Moves the node down to this side; its child of the other side takes its place.
    fn rotate(&mut self, node: usize, side: usize) {
        let Some(up) = self.nodes[node].children[1 - side] else { return };
        let (parent, inner) = (self.nodes[node].parent, self.nodes[up].children[side]);
        self.nodes[node].children[1 - side] = inner;
        if let Some(inner) = inner {
            self.nodes[inner].parent = Some(node);
        }
        match parent {
            Some(parent) => {
                let place = self.side_of(node, parent);
                self.nodes[parent].children[place] = Some(up);
            }
            None => self.root = Some(up),
        }
        self.nodes[up].parent = parent;
        self.nodes[up].children[side] = Some(node);
        self.nodes[node].parent = Some(up);
    }
}

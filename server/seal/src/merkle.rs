//! Merkle tree over a session's events, hashed as RFC 6962 section 2.1, with inclusion proofs (RFC 9162 section 2.1.3).

use crate::digest::{self, Digest};

const LEAF_PREFIX: [u8; 1] = [0x00];
const NODE_PREFIX: [u8; 1] = [0x01];

/// Hash of one leaf: `SHA-256(0x00 || leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    digest::concat(&[&LEAF_PREFIX, leaf])
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    digest::concat(&[&NODE_PREFIX, left.as_bytes(), right.as_bytes()])
}

/// A tree that grows leaf by leaf and keeps only its right edge: at most 64 digests for any number of leaves.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    count: u64,
    /// Roots of the full subtrees, widest first; their widths are the set bits of `count`.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// Appends a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut node = leaf_hash(leaf);
        for _ in 0..self.count.trailing_ones() {
            let left = self.peaks.pop().expect("one peak per set bit of count");
            node = node_hash(&left, &node);
        }
        self.peaks.push(node);
        self.count += 1;
    }

    /// Leaves so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Root of the leaves so far; of none, SHA-256 of nothing (RFC 6962).
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => digest::sha256(b""),
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

/// Root over the leaves in order.
pub fn root<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Digest {
    let mut tree = Frontier::default();
    leaves.into_iter().for_each(|leaf| tree.push(leaf.as_ref()));
    tree.root()
}

/// The digests that lead from leaf `index` to the root, nearest first; `None` when there is no such leaf.
#[must_use]
pub fn prove<L: AsRef<[u8]>>(leaves: &[L], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut part, mut index) = (leaves, index);
    while part.len() > 1 {
        let (left, right) = part.split_at(left_width(part.len()));
        if index < left.len() {
            path.push(root(right));
            part = left;
        } else {
            path.push(root(left));
            index -= left.len();
            part = right;
        }
    }
    path.reverse();
    Some(path)
}

/// Whether `proof` shows that `leaf` stands at `index` in the tree of `count` leaves with this `root`.
#[must_use]
pub fn verify(leaf: &[u8], index: u64, count: u64, proof: &[Digest], root: &Digest) -> bool {
    if index >= count {
        return false;
    }
    // RFC 9162 section 2.1.3.2
    let (mut node, mut from, mut last) = (leaf_hash(leaf), index, count - 1);
    for step in proof {
        if last == 0 {
            return false;
        }
        if from & 1 == 1 || from == last {
            node = node_hash(step, &node);
            while from & 1 == 0 && from != 0 {
                from >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, step);
        }
        from >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

/// Largest power of two below `count` (`count` > 1).
fn left_width(count: usize) -> usize {
    count.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference leaves of Certificate Transparency (transparency-dev/merkle) and the roots of the first 0..=8.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    #[test]
    fn roots_equal_the_reference() {
        let roots = [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
            (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        for (count, expected) in roots {
            assert_eq!(root(&LEAVES[..count]).to_string(), expected, "{count} leaves");
        }
    }

    #[test]
    fn every_leaf_of_every_tree_is_proved_and_nothing_else() {
        let leaves: Vec<[u8; 1]> = (0..33).map(|n| [n]).collect();
        for count in 1..=leaves.len() {
            let tree = &leaves[..count];
            let top = root(tree);
            for index in 0..count {
                let proof = prove(tree, index).unwrap();
                let holds = |leaf: &[u8], at: usize, proof: &[Digest]| {
                    verify(leaf, at as u64, count as u64, proof, &top)
                };
                assert!(holds(&tree[index], index, &proof), "{index} of {count}");
                assert!(!holds(b"other", index, &proof));
                assert!((0..count).filter(|at| *at != index).all(|at| !holds(&tree[index], at, &proof)));
                for step in 0..proof.len() {
                    let mut bent = proof.clone();
                    bent[step].0[0] ^= 1;
                    assert!(!holds(&tree[index], index, &bent));
                    assert!(!holds(&tree[index], index, &proof[..step]));
                }
                assert!(!holds(&tree[index], index, &[proof.clone(), vec![top]].concat()));
            }
            assert!(prove(tree, count).is_none());
            assert!(!verify(&tree[0], count as u64, count as u64, &[], &top));
        }
    }
}

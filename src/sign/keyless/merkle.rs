//! The tree of a transparency log (RFC 6962, 2.1; RFC 9162, 2.1.3.2).

use sha2::{Digest as _, Sha256};

/// A hash in the tree.
pub(super) type Hash = [u8; 32];

/// The hash of an entry.
pub(super) fn leaf(body: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree of `size` entries, of which the one at `index` has the hash `leaf`; none if the
/// proof is not one of such a tree.
pub(super) fn root(index: u64, size: u64, leaf: Hash, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for other in proof {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(other, &hash);
            // The last entry has no neighbours on the levels where it stands alone.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, other);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962, 2.1, word by word.
    fn tree(leaves: &[Hash]) -> Hash {
        match leaves {
            [one] => *one,
            more => {
                let left = more.len().next_power_of_two() / 2;
                node(&tree(&more[..left]), &tree(&more[left..]))
            }
        }
    }

    /// RFC 6962, 2.1.1.
    fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut path, other) = match index.checked_sub(left.len()) {
            None => (path(index, left), tree(right)),
            Some(index) => (path(index, right), tree(left)),
        };
        path.push(other);
        path
    }

    #[test]
    fn each_entry_of_each_small_tree_is_proved_and_none_other() {
        for size in 1..20_usize {
            let leaves: Vec<Hash> =
                (0..size).map(|number| leaf(&[u8::try_from(number).expect("small")])).collect();
            for index in 0..size {
                let proof = path(index, &leaves);
                let root_of = |index: usize, size: usize, leaf| root(index as u64, size as u64, leaf, &proof);
                assert_eq!(root_of(index, size, leaves[index]), Some(tree(&leaves)), "{index} of {size}");
                assert_ne!(root_of(index, size, leaf(b"other")), Some(tree(&leaves)));
                assert_eq!(root_of(size, size, leaves[index]), None);
                let (mut long, mut short) = (proof.clone(), proof.clone());
                long.push(leaves[0]);
                assert_eq!(root(index as u64, size as u64, leaves[index], &long), None);
                if short.pop().is_some() {
                    assert_ne!(root(index as u64, size as u64, leaves[index], &short), Some(tree(&leaves)));
                }
            }
        }
    }

    #[test]
    fn the_hash_of_no_bytes_is_the_published_one() {
        // RFC 6962's own examples of leaf hashes begin with this.
        let hex = crate::ident::Sha256(leaf(b"")).to_string();
        assert_eq!(hex, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }
}

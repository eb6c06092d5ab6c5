//! JSON with sorted keys and no white space.

use serde::Serialize;

/// The one byte string that stands for `value`: UTF-8, keys sorted by byte, no white space, arrays
/// in their own order. Goes by way of [`serde_json::Value`], whose maps are sorted (this crate does
/// not turn `preserve_order` on, and a test holds that nobody else does).
pub fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    let value = serde_json::to_value(value).expect("our own types have string keys");
    serde_json::to_vec(&value).expect("a JSON value is always written")
}

/// The same byte string for a value whose maps are sorted already, without a copy of it: a
/// [`serde_json::Value`], or a large type of ours whose fields stand in the order of their names. In
/// debug builds, and so in tests, a field that does not is found.
pub fn sorted_to_json<T: Serialize>(value: &T) -> Vec<u8> {
    let bytes = serde_json::to_vec(value).expect("our own types have string keys");
    debug_assert_eq!(bytes, to_json(value), "fields stand in the order of their names");
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn keys_are_sorted_whatever_map_they_came_from() {
        let map: HashMap<_, _> = ["b", "a", "\u{e9}", "B", "ab"].into_iter().map(|key| (key, 1)).collect();
        assert_eq!(to_json(&map), "{\"B\":1,\"a\":1,\"ab\":1,\"b\":1,\"\u{e9}\":1}".as_bytes());
    }
}

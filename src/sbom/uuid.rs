//! UUIDs that say the same of the same thing.

use crate::ident::Sha1;

/// The name space of hardpan's documents: a random UUID, fixed for ever.
const SPACE: [u8; 16] =
    [0x6f, 0x1d, 0x0c, 0x52, 0x8e, 0x37, 0x4b, 0x9a, 0x93, 0x4c, 0x27, 0xe5, 0xd0, 0x7b, 0x41, 0xac];

/// A version-5 UUID of a name (RFC 9562, section 5.5).
pub fn uuid(name: &str) -> String {
    version5(&SPACE, name)
}

fn version5(space: &[u8; 16], name: &str) -> String {
    let digest = Sha1::of(&[space, name.as_bytes()].concat());
    let mut bytes = digest.0;
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = Sha1(bytes).to_string();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_comes_out() {
        // RFC 9562, appendix A.4: `www.example.com` in the name space of domain names.
        let domains =
            [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(version5(&domains, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}

//! The bytes that a DSSE signature is over (DSSE v1.0, protocol.md, "Signature Definition").
//!
//! ```text
//! "DSSEv1" SP length(type) SP type SP length(payload) SP payload
//! ```
//!
//! Lengths are decimal and count bytes. The payload, which may be many megabytes, is handed over
//! beside its head rather than copied behind it.

/// All that stands before the payload in what is signed.
pub fn pae_head(payload_type: &str, payload_length: usize) -> Vec<u8> {
    format!("DSSEv1 {} {payload_type} {payload_length} ", payload_type.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_counts_bytes_and_not_letters() {
        assert_eq!(pae_head("application/x", 3), b"DSSEv1 13 application/x 3 ");
        assert_eq!(pae_head("\u{e9}", 0), "DSSEv1 2 \u{e9} 0 ".as_bytes());
        assert_eq!(pae_head("", 12), b"DSSEv1 0  12 ");
    }
}

//! Secretbox, by which cosign's key files are encrypted: `XSalsa20` and Poly1305 (`NaCl`, "secretbox").
//!
//! ```text
//! box = tag (16 bytes) ++ stream(32 ..) xor plain      tag = Poly1305(key = stream(0 .. 32), box[16 ..])
//! ```

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use zeroize::Zeroizing;

const TAG: usize = 16;

fn streams(key: &[u8; 32], nonce: &[u8; 24]) -> (XSalsa20, Poly1305) {
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut first = Zeroizing::new([0; 32]);
    stream.apply_keystream(&mut *first);
    (stream, Poly1305::new((&*first).into()))
}

/// Encrypts.
pub(super) fn seal(key: &[u8; 32], nonce: &[u8; 24], plain: &[u8]) -> Vec<u8> {
    let (mut stream, tag) = streams(key, nonce);
    let mut sealed = vec![0; TAG];
    sealed.extend_from_slice(plain);
    stream.apply_keystream(&mut sealed[TAG..]);
    let tag = tag.compute_unpadded(&sealed[TAG..]);
    sealed[..TAG].copy_from_slice(&tag);
    sealed
}

/// Decrypts; `None` for another key, another nonce or other bytes.
pub(super) fn open(key: &[u8; 32], nonce: &[u8; 24], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, rest) = sealed.split_at_checked(TAG)?;
    let (mut stream, expected) = streams(key, nonce);
    let expected = expected.compute_unpadded(rest);
    // All bytes are compared, wherever the first difference is.
    if tag.iter().zip(expected).fold(0, |differ, (a, b)| differ | (a ^ b)) != 0 {
        return None;
    }
    let mut plain = Zeroizing::new(rest.to_vec());
    stream.apply_keystream(&mut plain);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_flipped_bit_anywhere_does_not_open() {
        let sealed = seal(&[1; 32], &[2; 24], b"a secret");
        assert_eq!(sealed.len(), 24);
        for bit in 0..sealed.len() * 8 {
            let mut other = sealed.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&[1; 32], &[2; 24], &other).is_none());
        }
        assert!(open(&[2; 32], &[2; 24], &sealed).is_none());
        assert!(open(&[1; 32], &[1; 24], &sealed).is_none());
        for length in 0..sealed.len() {
            assert!(open(&[1; 32], &[2; 24], &sealed[..length]).is_none());
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(plain in proptest::collection::vec(any::<u8>(), 0..300), key: [u8; 32], nonce: [u8; 24]) {
            let sealed = seal(&key, &nonce, &plain);
            prop_assert_eq!(&*open(&key, &nonce, &sealed).expect("opens"), &plain);
        }
    }
}

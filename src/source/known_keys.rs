//! Private keys that everybody has: libraries carry them to test themselves when they start, so they
//! are in every image that has the library and are no secret. What is kept here are digests.
//!
//! The digest is of the first letters of a key's base64, its line ends taken out: enough of them to go
//! beyond what all keys of a kind have in common, where the key's own numbers stand.

use crate::ident::Sha256;

/// How many letters of a key's base64 are looked at.
pub(super) const LETTERS: usize = 160;

/// Digests, and where the keys are.
const KNOWN: &[&str] = &[
    // GnuTLS, `lib/crypto-selftests-pk.c`: its tests of RSA, DSA, ECDSA, EdDSA and GOST.
    "87e756a2a0abfed9d46c9ee7c796596c78de67bb5d37ffb42ffef3da282fffcb",
    "8f642f0351e1761dd3f7d8934a2da0a5eacd7f8a2c0440d8e2bf58ff2a6e847d",
    "bf552d2ff30b20f0b0ee2bcc357a5ab68dbe899ae09a0071b097bee2d2434332",
    "06b37a7e3254992b3ac83f4f08d269fb5c584874360315541ea12bb0b04e92ac",
    "2808649028d2fa88c4432c2961e94af8a8471e29a37f9caa56fc7633e20fd06f",
    "1941efaf70df9a45c7da35755ff775fd0aec283b367b7b7744dcc494fb5b3cf9",
    "2e98fbfc3bdd6f9e21a49f57e43311d000dfe122612f5f2f327bb22aba6297af",
    "9a5449e68775db802f5b822dabc19c3a3bc86bbabe89e67012cdff361aafba11",
    "f5e42bee7204054c83ce3bb55c8876254ed2a52ddb0cd4ad7b1e8f3b24728053",
    "ff9b66d5e4a259b5374c20a8deb438b9d067f5b88e80445706b7130184402a14",
    "6d416e2f6809f984b41af1b3636b87e762cb8a8ae4190a2964c833218e1d47ff",
    "bc0216ffe02c1af62c2c145698780c82f5ba347c9dc9eb84ab595be8a14ac055",
];

/// Whether these are the first letters of a key that everybody has.
pub(super) fn is_known(letters: &[u8]) -> bool {
    let digest = Sha256::of(letters).to_string();
    KNOWN.contains(&digest.as_str())
}

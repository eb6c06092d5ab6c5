//! Text with blocks of base64 between lines of dashes (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// One block.
pub(super) struct Block<'a> {
    /// `PUBLIC KEY`, say.
    pub label: &'a str,
    /// What the base64 stands for.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The blocks of a text, and why if one does not read. What stands around them is not looked at.
pub(super) fn blocks(text: &str) -> Result<Vec<Block<'_>>, &'static str> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let begin = line.trim_end().strip_prefix("-----BEGIN ");
        let Some(label) = begin.and_then(|rest| rest.strip_suffix("-----")) else { continue };
        found.push(Block { label, bytes: body(&mut lines, label)? });
    }
    Ok(found)
}

fn body<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    label: &str,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    // Room for any key from the start: a text that grows leaves copies behind.
    let mut base64 = Zeroizing::new(String::with_capacity(16 << 10));
    for line in lines {
        let line = line.trim();
        if let Some(end) = line.strip_prefix("-----END ") {
            if end.strip_suffix("-----") != Some(label) {
                return Err("a block ends with another name than it begins with");
            }
            return STANDARD.decode(&*base64).map(Zeroizing::new).map_err(|_| "a block is not base64");
        }
        if line.contains(':') {
            return Err("a block has headers, as openssl's old encryption of keys has");
        }
        base64.push_str(line);
    }
    Err("a block has no end")
}

/// Writes one block.
pub fn write(label: &str, bytes: &[u8]) -> String {
    let base64 = STANDARD.encode(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    for at in (0..base64.len()).step_by(64) {
        text.push_str(&base64[at..(at + 64).min(base64.len())]);
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_reads_back_as_written_whatever_its_length_and_line_ends() {
        for length in [0, 1, 47, 48, 49, 500] {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            let text = write("A KEY", &bytes);
            assert!(text.lines().all(|line| line.len() <= 64));
            let around = format!("before\r\n{}after", text.replace('\n', "\r\n"));
            let found = blocks(&around).expect("reads");
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].label, &*found[0].bytes), ("A KEY", &bytes));
        }
    }

    #[test]
    fn broken_blocks_say_what_is_wrong() {
        for (text, why) in [
            ("-----BEGIN A-----\nAA", "no end"),
            ("-----BEGIN A-----\nAA\n-----END B-----\n", "another name"),
            ("-----BEGIN A-----\nA*==\n-----END A-----\n", "not base64"),
            ("-----BEGIN A-----\nAB==\n-----END A-----\n", "not base64"),
            ("-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n-----END A-----\n", "headers"),
        ] {
            let said = blocks(text).err().expect("broken");
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(blocks("nothing here").expect("fine").is_empty());
    }
}

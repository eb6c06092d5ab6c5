//! Words that no tracked text may hold: hosts of registries and mirrors, which are the site's business,
//! and paths of somebody's machine.
//!
//! The words are put together from pieces, so that this file does not hold them.

use super::finding::Finding;
use super::tree::Tree;

/// The one file that may: cargo writes it.
const EXEMPT: &str = "Cargo.lock";

/// Checks every text.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let words = words();
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| *path != EXEMPT) {
        for (number, line) in text.lines().enumerate() {
            let line = line.to_ascii_lowercase();
            for word in words.iter().filter(|word| line.contains(&word.text)) {
                let what = format!("`{}` is {}", word.text, word.what);
                findings.push(Finding::new(path, number + 1, what, word.remedy));
            }
        }
    }
    findings
}

struct Word {
    text: String,
    what: &'static str,
    remedy: &'static str,
}

fn words() -> Vec<Word> {
    let host = |text| Word {
        text,
        what: "a host of a registry or mirror",
        remedy: "name the archive; where it is comes from the site's configuration (or use `….example`)",
    };
    let path = |text| Word {
        text,
        what: "a path of one machine",
        remedy: "write it relative to the repository or to a folder made for the purpose",
    };
    let hosts = hosts().into_iter().map(|pieces| host(pieces.join(".")));
    let paths = [["", "root", "."].join("/"), ["", "work", ""].join("/")].into_iter().map(path);
    hosts.chain([host(["python", "hosted"].concat())]).chain(paths).collect()
}

fn hosts() -> Vec<Vec<&'static str>> {
    let debian = ["deb", "security", "ftp", "snapshot"].map(|name| vec![name, "debian", "org"]);
    let crates = ["static", "index"].map(|name| vec![name, "crates", "io"]);
    let others = [
        vec!["pypi", "org"],
        vec!["registry", "npmjs"],
        vec!["proxy", "golang", "org"],
        vec!["maven", "apache"],
        vec!["repo1", "maven"],
    ];
    debian.into_iter().chain(crates).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn every_word_is_found_wherever_it_stands() {
        let words = words();
        assert_eq!(words.len(), 14);
        for word in words {
            let text = format!("fine\nsee http://{}/x\n", word.text.to_ascii_uppercase());
            assert_eq!(places(&check(&Tree::of(&[("README.md", &text)]))), ["README.md:2"], "{}", word.text);
            assert!(check(&Tree::of(&[(EXEMPT, &text)])).is_empty());
        }
    }

    #[test]
    fn names_of_archives_and_paths_in_images_are_fine() {
        let text = "suite = \"trixie\"\nmirror = \"https://mirror.example/debian\"\n/home/app /root /workdir wiki.debian.org\n";
        assert!(check(&Tree::of(&[("README.md", text)])).is_empty());
    }
}

//! `cargo xtask sizes`: the table of the catalog in the README, from what hardpan builds here and what
//! is kept of others in `docs/peers.tsv`.
//!
//! ```text
//! image  whose  packages  bytes, compressed  number of packages  how it is known
//! ```
//!
//! `--measure` measures the others anew (`measure.rs`).

mod measure;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::process::{program, released};

const PEERS: &str = "docs/peers.tsv";
const BEGIN: &str = "<!-- sizes: written by `cargo xtask sizes` -->\n";
const END: &str = "<!-- end of sizes -->";

/// Whose image does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    /// Debian's smallest installation with the same packages.
    Slim,
    /// Google's distroless images.
    Distroless,
}

impl Whose {
    const ALL: [Self; 2] = [Self::Slim, Self::Distroless];

    fn name(self) -> &'static str {
        match self {
            Self::Slim => "slim",
            Self::Distroless => "distroless",
        }
    }
}

/// What is known of another image that does the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Peer {
    /// Its packages, separated by commas: for Debian those that are asked for, for others all.
    asked: String,
    bytes: u64,
    packages: u64,
    how: String,
}

type Peers = BTreeMap<(String, Whose), Peer>;

/// One of our images.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Own {
    name: String,
    tag: String,
    size: String,
    packages: String,
}

/// Writes the table.
pub fn run_sizes(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut peers = read_peers(&read(&root.join(PEERS))?)?;
    match arguments {
        [] => {}
        ["--measure", names @ ..] => {
            measure::measure(root, &mut peers, names)?;
        }
        _ => return Err("usage: cargo xtask sizes [--measure [IMAGE…]]".to_owned()),
    }
    let own = catalog(root, &released(root)?)?;
    let readme = root.join("README.md");
    let text = replace(&read(&readme)?, &table(&own, &peers))?;
    write(&readme, &text)
}

/// Builds the catalog and reads what is said of each image.
fn catalog(root: &Path, hardpan: &Path) -> Result<Vec<Own>, String> {
    let folder = root.join("target/sizes");
    std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let mut command = program(hardpan);
    command.args(["build", "--locked", "--quiet", "--all"]).arg(root.join("recipes")).current_dir(&folder);
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("hardpan: {error}"))?;
    if !output.status.success() {
        return Err(format!("hardpan ended with {}", output.status));
    }
    Ok(rows(&String::from_utf8_lossy(&output.stdout)))
}

/// The rows of `build --all`: image, tag, digest, size (a number and its unit), packages.
fn rows(text: &str) -> Vec<Own> {
    let row = |line: &str| {
        let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
        let mut next = || columns.next().map(ToOwned::to_owned);
        let (name, tag, _digest) = (next()?, next()?, next()?);
        Some(Own { name, tag, size: next()?, packages: next()? })
    };
    text.lines().skip(1).filter_map(row).collect()
}

fn table(own: &[Own], peers: &Peers) -> String {
    let mut text = "| image | version | size | packages | Debian slim with the same | packages | distroless | packages |\n\
                    |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for image in own {
        let Own { name, tag, size, packages } = image;
        let _ = write!(text, "| `{name}` | {tag} | {size} | {packages} |");
        for whose in Whose::ALL {
            // What was never measured is not shown.
            let peer = peers.get(&(name.clone(), whose)).filter(|peer| peer.bytes > 0);
            let (size, packages) = peer.map_or_else(
                || ("–".to_owned(), "–".to_owned()),
                |peer| (megabytes(peer.bytes), peer.packages.to_string()),
            );
            let _ = write!(text, " {size} | {packages} |");
        }
        text.push('\n');
    }
    text
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

/// The text with the table in place of the one that is there.
fn replace(text: &str, table: &str) -> Result<String, String> {
    let (before, rest) = text.split_once(BEGIN).ok_or("README.md has no place for the table")?;
    let (_, after) = rest.split_once(END).ok_or("the table in README.md has no end")?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn read_peers(text: &str) -> Result<Peers, String> {
    let mut peers = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let bad = || format!("{PEERS}:{}: not six columns with tabs between", number + 1);
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, whose, asked, bytes, packages, how] = columns[..] else { return Err(bad()) };
        let whose = Whose::ALL.into_iter().find(|one| one.name() == whose).ok_or_else(bad)?;
        let (bytes, packages) = (bytes.parse().map_err(|_| bad())?, packages.parse().map_err(|_| bad())?);
        let peer = Peer { asked: asked.to_owned(), bytes, packages, how: how.to_owned() };
        peers.insert((name.to_owned(), whose), peer);
    }
    Ok(peers)
}

fn write_peers(peers: &Peers) -> String {
    let mut text = "# image\twhose\tpackages\tbytes\tnumber of packages\thow it is known\n".to_owned();
    for ((name, whose), Peer { asked, bytes, packages, how }) in peers {
        let whose = whose.name();
        let _ = writeln!(text, "{name}\t{whose}\t{asked}\t{bytes}\t{packages}\t{how}");
    }
    text
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("`{}` can't be read: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("`{}` can't be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TSV: &str = "# image\twhose\tpackages\tbytes\tnumber of packages\thow it is known\n\
                       base\tslim\t-\t45678901\t80\tmeasured\n\
                       base\tdistroless\ta,b\t7654321\t10\tmeasured\n\
                       nginx\tslim\tnginx\t45678901\t110\tmeasured\n";

    #[test]
    fn peers_are_written_as_they_are_read() {
        let peers = read_peers(TSV).expect("reads");
        assert_eq!(write_peers(&peers), TSV);
        assert!(read_peers("nginx\tnginx\t1\n").expect_err("short").contains("docs/peers.tsv:1"));
    }

    #[test]
    fn the_table_takes_the_place_of_the_one_that_is_there() {
        let said = "image  tag   digest  size    packages  outcome  seconds\n\
                    nginx  1.26  abc     6.5 MB  18        built    0.1\n\
                    base   13    abc     5.3 MB  12        built    0.1\n";
        let table = table(&rows(said), &read_peers(TSV).expect("reads"));
        let text = replace(&format!("a\n{BEGIN}old\n{END}\nb\n"), &table).expect("replaced");
        assert!(text.contains("| `nginx` | 1.26 | 6.5 MB | 18 | 45.6 MB | 110 | – | – |\n"), "{text}");
        assert!(text.contains("| `base` | 13 | 5.3 MB | 12 | 45.6 MB | 80 | 7.6 MB | 10 |\n"), "{text}");
        assert!(!text.contains("old") && text.starts_with("a\n") && text.ends_with("\nb\n"), "{text}");
    }
}

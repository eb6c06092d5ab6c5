//! `cargo xtask sizes`: the table of the catalog in the README, from what hardpan builds here and what
//! is kept of others in `docs/peers.tsv`.
//!
//! ```text
//! image  packages asked for  bytes, compressed  packages installed  how it is known
//! ```
//!
//! `--measure` makes the Debian equivalents anew: what `mmdebstrap --variant=minbase` installs for the
//! packages that are asked for, without the documentation that Debian's slim images leave out, packed
//! by `gzip -6`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::process::{cargo, find, program, run, show_and_run};

const PEERS: &str = "docs/peers.tsv";
const BEGIN: &str = "<!-- sizes: written by `cargo xtask sizes` -->\n";
const END: &str = "<!-- end of sizes -->";

/// What Debian's own slim container images leave out of packages.
const SLIM: [&str; 6] = [
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
];

/// What is known of another image that does the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Peer {
    asked: String,
    bytes: u64,
    packages: u64,
    how: String,
}

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
            measure(root, &mut peers, names)?;
        }
        _ => return Err("usage: cargo xtask sizes [--measure [IMAGE…]]".to_owned()),
    }
    let own = build(root)?;
    let readme = root.join("README.md");
    let text = replace(&read(&readme)?, &table(&own, &peers))?;
    write(&readme, &text)
}

/// Builds the catalog and reads what is said of each image.
fn build(root: &Path) -> Result<Vec<Own>, String> {
    let folder = root.join("target/sizes");
    std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    show_and_run(cargo(root).args([
        "build",
        "--release",
        "--locked",
        "--package",
        "hardpan",
        "--bin",
        "hardpan",
    ]))?;
    let mut command = program(root.join("target/release/hardpan"));
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

fn table(own: &[Own], peers: &BTreeMap<String, Peer>) -> String {
    let mut text = "| image | version | size | packages | Debian slim with the same | packages |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    for image in own {
        // What was never measured is not shown.
        let peer = peers.get(&image.name).filter(|peer| peer.bytes > 0);
        let (size, packages) = peer.map_or_else(
            || ("–".to_owned(), "–".to_owned()),
            |peer| (megabytes(peer.bytes), peer.packages.to_string()),
        );
        let Own { name, tag, size: own_size, packages: own_packages } = image;
        let _ = writeln!(text, "| `{name}` | {tag} | {own_size} | {own_packages} | {size} | {packages} |");
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

fn read_peers(text: &str) -> Result<BTreeMap<String, Peer>, String> {
    let mut peers = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let bad = || format!("{PEERS}:{}: not five columns with tabs between", number + 1);
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, asked, bytes, packages, how] = columns[..] else { return Err(bad()) };
        let (bytes, packages) = (bytes.parse().map_err(|_| bad())?, packages.parse().map_err(|_| bad())?);
        let peer = Peer { asked: asked.to_owned(), bytes, packages, how: how.to_owned() };
        peers.insert(name.to_owned(), peer);
    }
    Ok(peers)
}

fn write_peers(peers: &BTreeMap<String, Peer>) -> String {
    let mut text = "# image\tpackages asked for\tbytes\tpackages\thow it is known\n".to_owned();
    for (name, Peer { asked, bytes, packages, how }) in peers {
        let _ = writeln!(text, "{name}\t{asked}\t{bytes}\t{packages}\t{how}");
    }
    text
}

/// Installs what is asked for into folders, and counts. What was measured is kept at once.
fn measure(root: &Path, peers: &mut BTreeMap<String, Peer>, only: &[&str]) -> Result<(), String> {
    find("mmdebstrap").ok_or("mmdebstrap is not installed")?;
    let wanted: Vec<String> =
        peers.keys().filter(|name| only.is_empty() || only.contains(&name.as_str())).cloned().collect();
    for name in wanted {
        let asked = peers[&name].asked.clone();
        println!("    {name}: {asked}");
        let (bytes, packages, release) = install(&asked)?;
        let how = format!("mmdebstrap --variant=minbase, Debian {release}, gzip -6");
        peers.insert(name, Peer { asked, bytes, packages, how });
        write(&root.join(PEERS), &write_peers(peers))?;
    }
    Ok(())
}

/// Bytes of the packed folder, packages in it, and Debian's own version there. The host's mirrors and
/// keys are taken, as mmdebstrap takes them.
fn install(asked: &str) -> Result<(u64, u64, String), String> {
    let folder = std::env::temp_dir().join(format!("hardpan-sizes-{}", std::process::id()));
    let tar = folder.join("slim.tar");
    std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let mut command = program("mmdebstrap");
    command.args(["--quiet", "--variant=minbase"]);
    command.args(SLIM.iter().map(|option| format!("--dpkgopt={option}")));
    command.args((asked != "-").then(|| format!("--include={asked}")));
    // What apt keeps for itself is in no slim image.
    command.arg("--customize-hook=rm -rf \"$1\"/var/lib/apt/lists/* \"$1\"/var/cache/apt/*");
    let counted = run(command.arg("trixie").arg(&tar)).and_then(|()| count(&tar));
    let removed = std::fs::remove_dir_all(&folder);
    removed.map_err(|error| format!("`{}`: {error}", folder.display()))?;
    counted
}

fn count(tar: &Path) -> Result<(u64, u64, String), String> {
    let member = |name: &str| -> Result<String, String> {
        let output = program("tar").arg("-xOf").arg(tar).arg(name).output();
        let output = output.map_err(|error| format!("tar: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let status = member("./var/lib/dpkg/status")?;
    let release = member("./etc/debian_version")?.trim().to_owned();
    run(program("gzip").args(["-6", "--no-name", "--keep"]).arg(tar))?;
    let packed: PathBuf = tar.with_extension("tar.gz");
    let bytes = packed.metadata().map_err(|error| format!("`{}`: {error}", packed.display()))?.len();
    let packages = status.lines().filter(|line| line.starts_with("Package: ")).count();
    Ok((bytes, packages as u64, release))
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

    const TSV: &str = "# image\tpackages asked for\tbytes\tpackages\thow it is known\n\
                       nginx\tnginx\t45678901\t110\tmeasured\n";

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
        assert!(text.contains("| `nginx` | 1.26 | 6.5 MB | 18 | 45.6 MB | 110 |\n"), "{text}");
        assert!(text.contains("| `base` | 13 | 5.3 MB | 12 | – | – |\n"), "{text}");
        assert!(!text.contains("old") && text.starts_with("a\n") && text.ends_with("\nb\n"), "{text}");
    }
}

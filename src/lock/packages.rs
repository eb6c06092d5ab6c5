//! Package indices (Debian wiki, `RepositoryFormat`, "Packages Indices"), read as a stream; of each
//! stanza only what resolution and the lock need is kept.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use crate::ident::{DebVersion, PackageName, Sha256};

/// A package that an archive offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Name of the binary package.
    pub name: PackageName,
    /// Its version.
    pub version: DebVersion,
    /// Its architecture: `amd64`, `arm64` or `all`.
    pub architecture: String,
    /// Name of its source package.
    pub source: PackageName,
    /// Version of its source package.
    pub source_version: DebVersion,
    /// What must be there before it: Pre-Depends and Depends.
    pub depends: Vec<Clause>,
    /// What it stands for beside itself.
    pub provides: Vec<Relation>,
    /// Path below the archive's root.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// Digest.
    pub sha256: Sha256,
    /// Where it comes from: the archive's place in the list of archives.
    pub archive: usize,
}

/// Alternatives, of which one must hold.
pub type Clause = Vec<Relation>;

/// `name (>= version)` (Debian policy, 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The package.
    pub name: String,
    /// The bound on its version.
    pub bound: Option<(Comparison, DebVersion)>,
}

/// How a version is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<<`
    Earlier,
    /// `<=`
    EarlierOrSame,
    /// `=`
    Same,
    /// `>=`
    LaterOrSame,
    /// `>>`
    Later,
}

impl Relation {
    /// Whether a package of this version meets the bound.
    pub fn is_met_by(&self, version: &DebVersion) -> bool {
        let Some((comparison, bound)) = &self.bound else { return true };
        let order = version.cmp(bound);
        match comparison {
            Comparison::Earlier => order.is_lt(),
            Comparison::EarlierOrSame => order.is_le(),
            Comparison::Same => order.is_eq(),
            Comparison::LaterOrSame => order.is_ge(),
            Comparison::Later => order.is_gt(),
        }
    }
}

impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        let Some((comparison, version)) = &self.bound else { return Ok(()) };
        let sign = match comparison {
            Comparison::Earlier => "<<",
            Comparison::EarlierOrSame => "<=",
            Comparison::Same => "=",
            Comparison::LaterOrSame => ">=",
            Comparison::Later => ">>",
        };
        write!(f, " ({sign} {version})")
    }
}

/// Reads `a (>= 1) | b, c:any` (Debian policy, 7.1). `:any` and `:native` mean this architecture
/// here, for images have only one.
pub fn clauses(text: &str) -> Option<Vec<Clause>> {
    let clauses = text.split(',').map(str::trim).filter(|clause| !clause.is_empty());
    clauses.map(|clause| clause.split('|').map(relation).collect()).collect()
}

fn relation(text: &str) -> Option<Relation> {
    let (name, rest) = text.split_once('(').map_or((text, None), |(name, rest)| (name, Some(rest)));
    let name = name.trim();
    let name = name.split(':').next().unwrap_or(name).to_owned();
    let Some(rest) = rest else { return Some(Relation { name, bound: None }) };
    let bound = rest.trim().trim_end_matches(')').trim();
    let cut = bound.find(|sign| !"<>=".contains(sign))?;
    let comparison = match &bound[..cut] {
        "<<" => Comparison::Earlier,
        "<=" | "<" => Comparison::EarlierOrSame,
        "=" => Comparison::Same,
        ">=" | ">" => Comparison::LaterOrSame,
        ">>" => Comparison::Later,
        _ => return None,
    };
    Some(Relation { name, bound: Some((comparison, bound[cut..].trim().parse().ok()?)) })
}

/// The fields that are kept.
const KEPT: [&str; 10] = [
    "Package:",
    "Version:",
    "Architecture:",
    "Source:",
    "Depends:",
    "Pre-Depends:",
    "Provides:",
    "Filename:",
    "Size:",
    "SHA256:",
];

/// The longest line that an index may have, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// All packages of one platform, from all archives, to be looked up by name.
#[derive(Debug, Default)]
pub struct Universe {
    /// Which archive each stanza comes from, the name of its index, its text.
    stanzas: Vec<(usize, Arc<str>, Box<str>)>,
    by_name: HashMap<Box<str>, Vec<u32>>,
    by_provided: HashMap<Box<str>, Vec<u32>>,
}

impl Universe {
    /// Adds the packages of an index; `name` is what it is called in messages. An error says what is
    /// broken in it.
    pub fn add(&mut self, archive: usize, name: &str, index: impl Read) -> Result<(), String> {
        let name: Arc<str> = name.into();
        let mut reader = BufReader::with_capacity(1 << 16, index);
        let (mut kept, mut line) = (String::new(), Vec::new());
        let mut keeping = false;
        loop {
            line.clear();
            let got = (&mut reader)
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)
                .map_err(|error| error.to_string())?;
            if got as u64 == MAX_LINE {
                return Err("a line is longer than a mebibyte".to_owned());
            }
            if got == 0 || line == b"\n" {
                self.keep(archive, &name, std::mem::take(&mut kept))?;
                keeping = false;
            } else {
                let continues = matches!(line[0], b' ' | b'\t');
                if !continues && !line.contains(&b':') {
                    return Err(format!(
                        "a line is no field: {:?}",
                        String::from_utf8_lossy(&line[..line.len().min(80)])
                    ));
                }
                keeping = if continues {
                    keeping
                } else {
                    KEPT.iter().any(|field| line.starts_with(field.as_bytes()))
                };
                if keeping {
                    kept.push_str(std::str::from_utf8(&line).map_err(|_| "it is not UTF-8".to_owned())?);
                }
            }
            if got == 0 {
                return Ok(());
            }
        }
    }

    fn keep(&mut self, archive: usize, index: &Arc<str>, stanza: String) -> Result<(), String> {
        if stanza.is_empty() {
            return Ok(());
        }
        let at = u32::try_from(self.stanzas.len()).map_err(|_| "it holds too many packages".to_owned())?;
        let name =
            field(&stanza, "Package:").ok_or_else(|| format!("a stanza has no Package field: {stanza:?}"))?;
        self.by_name.entry(name.into()).or_default().push(at);
        for provided in
            clauses(field(&stanza, "Provides:").unwrap_or_default()).into_iter().flatten().flatten()
        {
            self.by_provided.entry(provided.name.into_boxed_str()).or_default().push(at);
        }
        self.stanzas.push((archive, Arc::clone(index), stanza.into_boxed_str()));
        Ok(())
    }

    /// All packages of this name. An error names the package whose stanza is broken.
    pub fn named(&self, name: &str) -> Result<Vec<Candidate>, String> {
        self.read(self.by_name.get(name))
    }

    /// All packages that provide this name.
    pub fn providing(&self, name: &str) -> Result<Vec<Candidate>, String> {
        self.read(self.by_provided.get(name))
    }

    fn read(&self, found: Option<&Vec<u32>>) -> Result<Vec<Candidate>, String> {
        let found = found.map(Vec::as_slice).unwrap_or_default();
        found
            .iter()
            .map(|at| {
                let (archive, index, stanza) = &self.stanzas[*at as usize];
                candidate(*archive, stanza).ok_or_else(|| format!("{index}: a stanza is broken: {stanza:?}"))
            })
            .collect()
    }

    /// All names, for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(AsRef::as_ref)
    }
}

/// The value of a field; folded lines are one.
fn field<'a>(stanza: &'a str, name: &str) -> Option<&'a str> {
    let start = if stanza.starts_with(name) { 0 } else { stanza.find(&format!("\n{name}"))? + 1 };
    let value = &stanza[start + name.len()..];
    let end = value.match_indices('\n').find(|(at, _)| !value[at + 1..].starts_with([' ', '\t']));
    Some(value[..end.map_or(value.len(), |(at, _)| at)].trim())
}

fn candidate(archive: usize, stanza: &str) -> Option<Candidate> {
    let text = |name| field(stanza, name);
    let (name, version) = (text("Package:")?, text("Version:")?);
    // `Source: name (version)`, each part only where it differs from the binary package's.
    let (source, source_version) = match text("Source:") {
        None => (name, version),
        Some(source) => source
            .split_once(" (")
            .map_or((source, version), |(name, version)| (name, version.trim_end_matches(')'))),
    };
    let depends = [text("Pre-Depends:"), text("Depends:")].into_iter().flatten();
    let depends: Option<Vec<_>> = depends.map(clauses).collect();
    let path = text("Filename:")?;
    crate::ident::ImagePath::from_member(path).ok()?;
    Some(Candidate {
        name: name.parse().ok()?,
        version: version.parse().ok()?,
        architecture: text("Architecture:")?.to_owned(),
        source: source.parse().ok()?,
        source_version: source_version.parse().ok()?,
        depends: depends?.concat(),
        provides: clauses(text("Provides:").unwrap_or_default())?.concat(),
        path: path.trim_start_matches("./").to_owned(),
        size: text("Size:")?.parse().ok()?,
        sha256: text("SHA256:")?.parse().ok()?,
        archive,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_read_as_policy_writes_them() {
        let read = clauses("libc6 (>= 2.38), foo:any | bar (<< 1:2~), baz").expect("readable");
        let text: Vec<String> = read
            .iter()
            .map(|clause| clause.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "))
            .collect();
        assert_eq!(text, ["libc6 (>= 2.38)", "foo | bar (<< 1:2~)", "baz"]);
        assert!(clauses("a (~ 1)").is_none());
    }

    const INDEX: &str = "Package: bb\nVersion: 1-1+b2\nSource: src (1-1)\nArchitecture: amd64\nDescription: long\n Depends: not this\nDepends: a,\n c\nProvides: v (= 2)\nFilename: pool/b.deb\nSize: 3\nSHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\n";

    #[test]
    fn a_stanza_is_read_with_folded_lines_and_source() {
        let mut universe = Universe::default();
        universe.add(0, "an index", INDEX.as_bytes()).expect("readable");
        let found = &universe.named("bb").expect("whole")[0];
        assert_eq!(found.depends.len(), 2);
        assert_eq!((found.source.as_str(), found.source_version.as_str()), ("src", "1-1"));
        assert_eq!(universe.providing("v").expect("whole").len(), 1);
    }

    #[test]
    fn a_stanza_whose_path_climbs_is_refused() {
        let mut universe = Universe::default();
        universe.add(0, "an index", INDEX.replace("pool/b.deb", "../b.deb").as_bytes()).expect("read lazily");
        assert!(universe.named("bb").is_err());
    }
}

//! Archives: Debian's own, which every hardpan knows, and those that a recipe adds.

use std::path::Path;

use super::openpgp::Keyring;
use crate::diag::{Result, codes};
use crate::host;
use crate::ident::ArchiveName;
use crate::recipe::{ArchiveSpec, Chain};

/// An archive: what its release files must say and who must have signed them. Where it is, is the
/// mirrors' business.
#[derive(Debug, Clone)]
pub struct Archive {
    /// Its name.
    pub name: ArchiveName,
    /// The suites that are read, all together.
    pub suites: Vec<String>,
    /// The components of each suite.
    pub components: Vec<String>,
    /// The Origin of its release files, if one is demanded.
    pub origin: Option<String>,
    /// The Label of its release files, if one is demanded.
    pub label: Option<String>,
    /// Who may sign.
    pub keys: Keyring,
    /// A version in an archive of higher priority wins over a newer one elsewhere.
    pub priority: i64,
}

/// The priority of an archive that says none.
const PRIORITY: i64 = 500;

/// Debian's keys, as they are in `keys/`.
const DEBIAN_KEYS: [&[u8]; 6] = [
    include_bytes!("../../keys/debian-bookworm-automatic.asc"),
    include_bytes!("../../keys/debian-bookworm-security-automatic.asc"),
    include_bytes!("../../keys/debian-bookworm-stable.asc"),
    include_bytes!("../../keys/debian-trixie-automatic.asc"),
    include_bytes!("../../keys/debian-trixie-security-automatic.asc"),
    include_bytes!("../../keys/debian-trixie-stable.asc"),
];

/// Name, Origin and Label of each archive that hardpan knows, for matching the host's own sources.
pub const KNOWN: [(&str, &str, &str); 2] =
    [("debian", "Debian", "Debian"), ("debian-security", "Debian", "Debian-Security")];

/// Debian's own archives of a suite.
pub fn debian_archives(suite: &str) -> Vec<Archive> {
    let suites = vec![suite.to_owned(), format!("{suite}-updates")];
    vec![debian(0, suites, Vec::new()), debian(1, vec![format!("{suite}-security")], Vec::new())]
}

/// All archives that a chain of recipes draws on.
pub fn archives(chain: &Chain) -> Result<Vec<Archive>> {
    let mut archives = Vec::new();
    if let Some(suite) = chain.suite() {
        let suite = &suite.value;
        let updates = format!("{suite}-updates");
        let security = format!("{suite}-security");
        let components: Vec<String> = chain
            .recipes
            .iter()
            .rev()
            .map(|recipe| recipe.components.clone())
            .find(|components| !components.is_empty())
            .unwrap_or_default();
        archives.push(debian(0, vec![suite.clone(), updates], components.clone()));
        archives.push(debian(1, vec![security], components));
    }
    for recipe in &chain.recipes {
        for spec in &recipe.archives {
            let known = archives.iter().position(|archive| archive.name == spec.name.value);
            let base = known.map(|at| archives.remove(at));
            archives.push(specified(spec, base, &recipe.folder)?);
        }
    }
    archives.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(archives)
}

fn debian(known: usize, suites: Vec<String>, components: Vec<String>) -> Archive {
    let (name, origin, label) = KNOWN[known];
    let mut keys = Keyring::default();
    for key in DEBIAN_KEYS {
        keys.add(key).expect("Debian's keys are readable: a test reads them");
    }
    Archive {
        name: name.parse().expect("a known name"),
        suites,
        components: or_main(components),
        origin: Some(origin.to_owned()),
        label: Some(label.to_owned()),
        keys,
        priority: PRIORITY,
    }
}

fn or_main(components: Vec<String>) -> Vec<String> {
    if components.is_empty() { vec!["main".to_owned()] } else { components }
}

/// What a recipe says of an archive, over what was known of it.
fn specified(spec: &ArchiveSpec, base: Option<Archive>, folder: &Path) -> Result<Archive> {
    let name = &spec.name.value;
    let keys = read_keys(spec, folder)?;
    let wrong = |message: String, help: &str| -> crate::diag::Failure {
        spec.name.place.problem(codes::BAD_VALUE, message, "this archive").help(help).into()
    };
    if base.is_none() && spec.suites.is_empty() {
        return Err(wrong(format!("archive `{name}` has no suites"), "add `suites = [\"…\"]`"));
    }
    if base.is_none() && keys.is_empty() {
        return Err(wrong(
            format!("archive `{name}` has no keys"),
            "add `keys = [\"…\"]`: an archive without signature is refused",
        ));
    }
    let base = base.unwrap_or_else(|| Archive {
        name: name.clone(),
        suites: Vec::new(),
        components: or_main(Vec::new()),
        origin: None,
        label: None,
        keys: Keyring::default(),
        priority: PRIORITY,
    });
    Ok(Archive {
        name: base.name,
        suites: if spec.suites.is_empty() { base.suites } else { spec.suites.clone() },
        components: if spec.components.is_empty() { base.components } else { spec.components.clone() },
        origin: spec.origin.clone().or(base.origin),
        label: spec.label.clone().or(base.label),
        keys: if keys.is_empty() { base.keys } else { keys },
        priority: spec.priority.unwrap_or(base.priority),
    })
}

fn read_keys(spec: &ArchiveSpec, folder: &Path) -> Result<Keyring> {
    let mut keys = Keyring::default();
    for key in &spec.keys {
        let path = folder.join(&key.value);
        let problem = |code, message: String| key.place.problem(code, message, "named here");
        if !host::exists(&path) {
            let message = format!("there is no key file `{}`", path.display());
            return Err(problem(codes::NO_FILE, message)
                .help("paths of keys begin at the recipe's folder")
                .into());
        }
        let bytes = host::read(&path)?;
        keys.add(&bytes).map_err(|why| {
            problem(codes::BAD_VALUE, format!("`{}` is not a public key: {why}", path.display()))
                .expected("an OpenPGP public key, armoured or not")
        })?;
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_keys_are_those_that_the_readme_names() {
        let readme = include_str!("../../keys/README.md");
        let archive = debian(0, vec!["trixie".into()], Vec::new());
        assert_eq!(archive.keys.fingerprints().len(), 6);
        for fingerprint in archive.keys.fingerprints() {
            assert!(readme.contains(&fingerprint), "{fingerprint}");
        }
    }
}

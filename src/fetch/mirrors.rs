//! Where an archive is: what the site names, else those of the host's apt sources whose release
//! file says that they are it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Mutex;

use super::config::MirrorConfig;
use super::{AptSource, apt};
use crate::diag::{Problem, Result, codes};
use crate::host::{Client, Fetched, Limits, Url};
use crate::ident::ArchiveName;
use crate::lock::{Archive, peek};

/// An address of an archive, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The address.
    pub url: Url,
    /// An option, a variable or a file.
    pub said_by: String,
}

/// What came of looking at one address for one archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The address, and who says so.
    pub mirror: Mirror,
    /// Why it is passed by; `None` if it is used.
    pub passed_by: Option<String>,
}

/// Looks up mirrors and remembers what it found.
pub struct Mirrors {
    config: MirrorConfig,
    client: Client,
    known: Mutex<BTreeMap<ArchiveName, Vec<Asked>>>,
}

/// A release file's first bytes say whose it is.
const PEEK: usize = 4096;

impl Mirrors {
    /// With what the site says.
    pub fn new(config: MirrorConfig, client: Client) -> Self {
        Self { config, client, known: Mutex::default() }
    }

    /// The mirrors of an archive, in the order in which they are tried; at least one.
    pub fn of(&self, archive: &Archive) -> Result<Vec<Mirror>> {
        let asked = self.look(archive)?;
        let used: Vec<Mirror> = asked
            .iter()
            .filter(|asked| asked.passed_by.is_none())
            .map(|asked| asked.mirror.clone())
            .collect();
        if used.is_empty() {
            return Err(no_mirror(archive, &asked).into());
        }
        Ok(used)
    }

    /// The mirrors that the site names for an archive that has no release files.
    pub fn plain(&self, name: &ArchiveName) -> Result<Vec<Mirror>> {
        let named = self.config.named(name)?;
        if named.is_empty() {
            let problem = Problem::new(codes::NO_MIRROR, format!("no mirror is known for `{name}`"));
            return Err(problem
                .help(format!("say where it is: `--mirror {name}=URL`, or {}", name.mirror_variable()))
                .into());
        }
        Ok(named)
    }

    /// All addresses that were looked at for an archive, those that are passed by as well.
    pub fn look(&self, archive: &Archive) -> Result<Vec<Asked>> {
        let mut known = self.known.lock().expect("no look-up panics");
        if let Some(asked) = known.get(&archive.name) {
            return Ok(asked.clone());
        }
        let named = self.config.named(&archive.name)?;
        let asked: Vec<Asked> = if named.is_empty() {
            let sources = apt::sources(&self.config.environment.system)?;
            std::thread::scope(|scope| {
                let threads: Vec<_> =
                    sources.iter().map(|source| scope.spawn(|| self.ask(archive, source))).collect();
                threads.into_iter().map(|thread| thread.join().expect("asking does not panic")).collect()
            })
        } else {
            named.into_iter().map(|mirror| Asked { mirror, passed_by: None }).collect()
        };
        known.insert(archive.name.clone(), asked.clone());
        Ok(asked)
    }

    /// Whether an apt source serves the archive, by the Origin and Label of its release file.
    fn ask(&self, archive: &Archive, source: &AptSource) -> Asked {
        let mirror = Mirror { url: source.url.clone(), said_by: source.file.display().to_string() };
        let passed_by = self.mismatch(archive, &source.url).err();
        Asked { mirror, passed_by }
    }

    fn mismatch(&self, archive: &Archive, url: &Url) -> std::result::Result<(), String> {
        if archive.origin.is_none() && archive.label.is_none() {
            return Err("the recipe names neither `origin` nor `label` to know it by".to_owned());
        }
        let suite = &archive.suites[0];
        let address = url.join(&format!("dists/{suite}/InRelease"));
        let limits = Limits { bytes: 32 << 20, resumes: true };
        let mut bytes = Vec::new();
        match self.client.get(&address, 0, limits).map_err(|error| error.to_string())? {
            Fetched::Body { reader, .. } => {
                reader.take(PEEK as u64).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            }
            Fetched::Missing => return Err(format!("it has no suite {suite}")),
            Fetched::Later(status) => return Err(format!("status {status}")),
            Fetched::Refused(why) => return Err(why),
        }
        let (origin, label) = peek(&bytes);
        let fits =
            |wanted: &Option<String>, said: &str| wanted.as_deref().is_none_or(|wanted| wanted == said);
        if fits(&archive.origin, &origin) && fits(&archive.label, &label) {
            return Ok(());
        }
        Err(format!("it is {origin}, {label}"))
    }
}

fn no_mirror(archive: &Archive, asked: &[Asked]) -> Problem {
    let name = &archive.name;
    let mut problem = Problem::new(codes::NO_MIRROR, format!("no mirror is known for the archive {name}"));
    for Asked { mirror, passed_by } in asked {
        let why = passed_by.as_deref().unwrap_or_default();
        problem = problem.fact("tried", format!("{} ({}): {why}", mirror.url, mirror.said_by));
    }
    problem.help(format!(
        "say where it is: `--mirror {name}=URL`, {}=URL, or `mirrors.toml`",
        name.mirror_variable()
    ))
}

//! What the site says of mirrors: options, variables, `mirrors.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::mirrors::Mirror;
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Environment, Url};
use crate::ident::ArchiveName;

/// What the site says of mirrors, before any archive is looked up.
#[derive(Debug, Clone)]
pub struct MirrorConfig {
    options: Vec<(ArchiveName, Url)>,
    files: Vec<(PathBuf, BTreeMap<ArchiveName, Vec<Url>>)>,
    pub(super) environment: Environment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(default)]
    mirrors: BTreeMap<ArchiveName, OneOrMore>,
}

struct OneOrMore(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("expected an address in quotes, or a list of them");
        let texts = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => vec![text],
            toml::Value::Array(values) => {
                let texts: Option<Vec<String>> =
                    values.iter().map(|value| value.as_str().map(ToOwned::to_owned)).collect();
                texts.ok_or_else(wrong)?
            }
            _ => return Err(wrong()),
        };
        Ok(Self(texts))
    }
}

impl MirrorConfig {
    /// Reads options (`NAME=URL`), then `mirrors.toml` in each of `folders` and in the user's
    /// configuration folder.
    pub fn read(options: &[String], folders: &[PathBuf], environment: &Environment) -> Result<Self> {
        let options = options.iter().map(|option| read_option(option)).collect::<Result<_>>()?;
        let user = environment.config.as_ref().map(|config| config.join("hardpan"));
        let mut files: Vec<(PathBuf, BTreeMap<ArchiveName, Vec<Url>>)> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for folder in folders.iter().chain(&user) {
            let path = folder.join("mirrors.toml");
            if host::exists(&path) && seen.insert(host::whole_path(&path)) {
                let mirrors = read_file(&path)?;
                files.push((path, mirrors));
            }
        }
        Ok(Self { options, files, environment: environment.clone() })
    }

    /// The mirrors that are named for an archive, in the order in which they are tried.
    pub fn named(&self, archive: &ArchiveName) -> Result<Vec<Mirror>> {
        let options = self.options.iter().filter(|(name, _)| name == archive);
        let mut mirrors: Vec<Mirror> =
            options.map(|(_, url)| Mirror { url: url.clone(), said_by: "--mirror".into() }).collect();
        let variable = archive.mirror_variable();
        for text in host::variable(&variable).iter().flat_map(|value| value.split_whitespace()) {
            let url = text
                .parse()
                .map_err(|why: String| config_problem(&format!("the variable {variable}"), &why))?;
            mirrors.push(Mirror { url, said_by: variable.clone() });
        }
        for (path, named) in &self.files {
            let said_by = path.display().to_string();
            mirrors.extend(
                named
                    .get(archive)
                    .into_iter()
                    .flatten()
                    .map(|url| Mirror { url: url.clone(), said_by: said_by.clone() }),
            );
        }
        // Trying an address twice would only double the time until the next one is tried.
        let mut seen = std::collections::BTreeSet::new();
        mirrors.retain(|mirror| seen.insert(mirror.url.clone()));
        Ok(mirrors)
    }
}

fn config_problem(what: &str, why: &str) -> Problem {
    Problem::new(codes::CONFIG, format!("{what} does not name a mirror"))
        .found(why)
        .expected("an address that begins with http://, https:// or file://")
}

fn read_option(option: &str) -> Result<(ArchiveName, Url)> {
    let problem = |why: &str| config_problem(&format!("`--mirror {option}`"), why);
    let (name, url) =
        option.split_once('=').ok_or_else(|| problem("no `=` in it").help("write `--mirror NAME=URL`"))?;
    let name = name.parse().map_err(|error: crate::ident::Malformed| problem(&error.to_string()))?;
    Ok((name, url.parse().map_err(|why: String| problem(&why))?))
}

fn read_file(path: &Path) -> Result<BTreeMap<ArchiveName, Vec<Url>>> {
    let what = format!("`{}`", path.display());
    let wire: Wire = toml::from_str(&host::read_text(path)?).map_err(|error| {
        Problem::new(codes::CONFIG, format!("{what} can't be read"))
            .found(error.message())
            .expected("a table `mirrors` of archive names and addresses")
            .help("write `[mirrors]`, then `NAME = \"URL\"` or `NAME = [\"URL\", …]`")
    })?;
    let parse = |text: String| text.parse().map_err(|why: String| config_problem(&what, &why).into());
    let entry = |(name, OneOrMore(texts)): (ArchiveName, OneOrMore)| {
        Ok((name, texts.into_iter().map(parse).collect::<Result<Vec<Url>>>()?))
    };
    wire.mirrors.into_iter().map(entry).collect()
}

//! The host's own apt sources, in both their forms (sources.list(5)): only addresses and suites are
//! read. Whose archive an address serves is seen from its release file, never from the address.

use std::path::{Path, PathBuf};

use crate::diag::Result;
use crate::host::{self, Url};

/// An address that the host's apt uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptSource {
    /// The address.
    pub url: Url,
    /// The file that says so.
    pub file: PathBuf,
}

/// All addresses of binary packages below a system root, in apt's order, each once.
pub fn sources(system: &Path) -> Result<Vec<AptSource>> {
    let apt = system.join("etc/apt");
    let mut files = vec![apt.join("sources.list")];
    files.extend(host::list(&apt.join("sources.list.d"))?);
    let mut found: Vec<AptSource> = Vec::new();
    for file in files.into_iter().filter(|file| host::exists(file)) {
        let addresses = match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => one_line(&text(&file)?),
            Some("sources") => stanzas(&text(&file)?),
            _ => continue,
        };
        for url in addresses.iter().flat_map(|address| expand(system, address)) {
            if !found.iter().any(|source| source.url == url) {
                found.push(AptSource { url, file: file.clone() });
            }
        }
    }
    Ok(found)
}

/// A file of apt's, whose comments may be in any encoding and whose lines may end either way.
fn text(file: &Path) -> Result<String> {
    Ok(host::read_lossy(file)?.replace("\r\n", "\n"))
}

/// `deb [option=value …] address suite component…`.
fn one_line(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let entries =
        lines.filter_map(|line| line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t', '['])));
    entries
        .filter_map(|rest| {
            let rest = rest.trim_start();
            let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
            rest.split_whitespace().next().map(ToOwned::to_owned)
        })
        .collect()
}

/// Stanzas with `Types`, `URIs`, `Enabled`.
fn stanzas(text: &str) -> Vec<String> {
    let uncommented: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut addresses = Vec::new();
    for stanza in uncommented.join("\n").split("\n\n") {
        let field = |name: &str| {
            let mut words: Vec<String> = Vec::new();
            let mut inside = false;
            for line in stanza.lines() {
                let continues = line.starts_with([' ', '\t']);
                let own = line
                    .split_once(':')
                    .filter(|(key, _)| !continues && key.trim().eq_ignore_ascii_case(name));
                inside = own.is_some() || (inside && continues);
                let text = own.map_or(line, |(_, value)| value);
                if inside {
                    words.extend(text.split_whitespace().map(ToOwned::to_owned));
                }
            }
            words
        };
        let disabled = field("Enabled")
            .first()
            .is_some_and(|word| matches!(word.to_ascii_lowercase().as_str(), "no" | "false" | "0"));
        if field("Types").iter().any(|word| word == "deb") && !disabled {
            addresses.extend(field("URIs"));
        }
    }
    addresses
}

/// An address, or those in the file of a `mirror+file:` address (apt-transport-mirror(1)). Other
/// transports than http, https, file and copy are passed by.
fn expand(system: &Path, address: &str) -> Vec<Url> {
    if let Some(list) = address.strip_prefix("mirror+file:") {
        let path = system.join(list.trim_start_matches('/'));
        let text = host::read_text(&path).unwrap_or_default();
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        return lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    }
    let address =
        address.strip_prefix("copy:").map_or_else(|| address.to_owned(), |path| format!("file:{path}"));
    address.parse().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let text = "# deb http://no.example x main\ndeb [arch=amd64 signed-by=/k] http://one.example/d trixie main # why\ndeb-src http://src.example x main\n";
        assert_eq!(one_line(text), ["http://one.example/d"]);
        let text = "Types: deb deb-src\n# a comment\nURIs: http://two.example/d\n http://three.example/d\nSuites: trixie\n\nTypes: deb\nURIs: http://off.example\nEnabled: no\n\nTypes: deb-src\nURIs: http://src.example\n";
        assert_eq!(stanzas(text), ["http://two.example/d", "http://three.example/d"]);
    }

    #[test]
    fn local_transports_become_file_addresses() {
        let root = Path::new("/");
        assert_eq!(expand(root, "copy:/srv/debs")[0].to_string(), "file:///srv/debs");
        assert_eq!(expand(root, "file:/srv/debs")[0].to_string(), "file:///srv/debs");
        assert!(expand(root, "cdrom:[Debian]/").is_empty());
    }
}

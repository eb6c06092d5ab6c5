//! What a site asks of images beside that they are whole and signed: a small TOML file.
//!
//! ```toml
//! builders = ["https://hardpan.dev/builder/local/v1"]   # who may have built it
//! source   = "https://git.example/images"               # where its recipe is kept (a prefix)
//! recipes  = ["python"]                                  # which recipes
//! max-age  = "30d"                                       # how old it may be
//! require  = ["sign", "slsaprovenance1", "spdxjson", "cyclonedx"]
//! advisories-max-age = "7d"                              # how old what `hardpan scan` asks may be
//!
//! [sla]                                                  # how soon a fix that exists is to be published
//! critical = "24h"
//! high     = "7d"
//! other    = "30d"                                       # medium, low, negligible, unknown
//! ```
//!
//! What is not said is not asked; `require` alone has a default, the four above. `[sla]` is what
//! `hardpan report sla` measures by, with these defaults; no image is refused for it.

use std::path::Path;

use serde::Deserialize;

use crate::attest;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::Age;

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Builder ids that are accepted; empty accepts all.
    pub builders: Vec<String>,
    /// How the address of an image's source must begin.
    pub source: Option<String>,
    /// Names of recipes that are accepted; empty accepts all.
    pub recipes: Vec<String>,
    /// The most time since the image's own.
    pub max_age: Option<Age>,
    /// The most time since the date of the advisories that a scan is made with.
    pub advisories_max_age: Option<Age>,
    /// Predicate types that the index and each platform must have.
    pub require: Vec<String>,
    /// How soon a fix that exists is to be published.
    pub sla: Targets,
}

/// The most time from when a fix exists to when an image with it is published, by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Targets {
    /// For critical ones.
    pub critical: Age,
    /// For high ones.
    pub high: Age,
    /// For all others, those of unknown severity among them.
    pub other: Age,
}

impl Default for Targets {
    fn default() -> Self {
        Self { critical: Age(86_400), high: Age(7 * 86_400), other: Age(30 * 86_400) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let require = [attest::COSIGN_SIGN, attest::PROVENANCE, attest::SPDX, attest::CYCLONEDX];
        Self {
            builders: Vec::new(),
            source: None,
            recipes: Vec::new(),
            max_age: None,
            advisories_max_age: None,
            require: require.map(ToOwned::to_owned).to_vec(),
            sla: Targets::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Wire {
    #[serde(default)]
    builders: Vec<String>,
    source: Option<String>,
    #[serde(default)]
    recipes: Vec<String>,
    max_age: Option<Age>,
    advisories_max_age: Option<Age>,
    require: Option<Vec<String>>,
    #[serde(default)]
    sla: Targets,
}

impl Policy {
    /// Reads a policy file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = host::read_text(path)?;
        Self::parse(&text).map_err(|why| {
            Problem::new(codes::CONFIG, format!("the policy `{}` can't be read", path.display()))
                .found(why)
                .expected(
                    "`builders`, `source`, `recipes`, `max-age`, `advisories-max-age`, `require`, `[sla]`",
                )
                .into()
        })
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let wire: Wire = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let require = match wire.require {
            None => Self::default().require,
            Some(words) => words
                .iter()
                .map(|word| kind(word).ok_or_else(|| format!("`{word}` is no type of statement")))
                .collect::<std::result::Result<_, _>>()?,
        };
        Ok(Self {
            builders: wire.builders,
            source: wire.source,
            recipes: wire.recipes,
            max_age: wire.max_age,
            advisories_max_age: wire.advisories_max_age,
            require,
            sla: wire.sla,
        })
    }
}

/// The kind of statement that a word means.
fn kind(word: &str) -> Option<String> {
    let own = (word == attest::CONTENTS_POLICY).then(|| word.to_owned());
    own.or_else(|| attest::kind(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_reads_and_asks_for_four_statements_by_itself() {
        let policy = Policy::parse("max-age = \"30d\"\nrecipes = [\"python\"]").expect("a policy");
        assert_eq!(
            (policy.max_age, policy.recipes.len(), policy.require.len()),
            (Some(Age(30 * 86_400)), 1, 4)
        );
        let aged = Policy::parse("advisories-max-age = \"7d\"").expect("a policy");
        assert_eq!((aged.advisories_max_age, aged.max_age), (Some(Age(7 * 86_400)), None));
        assert_eq!(Policy::parse("require = [\"sign\"]").expect("a policy").require, [attest::COSIGN_SIGN]);
    }

    #[test]
    fn targets_have_defaults_of_their_own_each() {
        let policy = Policy::parse("sla.high = \"3d\"").expect("a policy");
        let wanted = Targets { high: Age(3 * 86_400), ..Targets::default() };
        assert_eq!((policy.sla, policy.require.len()), (wanted, 4));
        assert_eq!(wanted.critical.to_string() + " " + &wanted.other.to_string(), "1d 30d");
    }

    #[test]
    fn what_a_policy_does_not_know_is_refused() {
        for text in [
            "maxage = \"30d\"",
            "max-age = \"soon\"",
            "require = [\"nonsense\"]",
            "builders = 1",
            "[",
            "sla.medium = \"1d\"",
            "sla.high = 7",
        ] {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
    }
}

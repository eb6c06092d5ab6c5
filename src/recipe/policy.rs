//! The rules of the contents policy, by name, and a recipe's exceptions to them. What each rule looks
//! for is the room `policy`'s business.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Pattern;
use super::model::At;
use crate::ident::ImagePath;

/// How labels begin that give the reason for an exception; the rule's name follows.
pub const EXCEPTION_LABEL: &str = "dev.hardpan.policy.";

/// A rule of the contents policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyRule {
    /// No shell.
    Shell,
    /// No package manager.
    PackageManager,
    /// No set-id bit, no capability.
    Setuid,
    /// Nothing that anybody may write.
    WorldWritable,
    /// No content that looks like a key or a token.
    Secrets,
    /// Nothing that belongs to nobody.
    Unowned,
    /// The image does not run as root.
    Root,
}

impl PolicyRule {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Shell,
        Self::PackageManager,
        Self::Setuid,
        Self::WorldWritable,
        Self::Secrets,
        Self::Unowned,
        Self::Root,
    ];

    /// Its name, as recipes and labels have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::PackageManager => "package-manager",
            Self::Setuid => "setuid",
            Self::WorldWritable => "world-writable",
            Self::Secrets => "secrets",
            Self::Unowned => "unowned",
            Self::Root => "root",
        }
    }

    /// What it asks for, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Shell => "no shell",
            Self::PackageManager => "no package manager",
            Self::Setuid => "no set-id bits, no capabilities",
            Self::WorldWritable => "nothing that anybody may write, but in sticky folders",
            Self::Secrets => "nothing that looks like a key, a token or a password",
            Self::Unowned => "each file has a source, and each owner an account",
            Self::Root => "a numeric user that is not root",
        }
    }
}

impl fmt::Display for PolicyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PolicyRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|rule| rule.name() == text);
        known.ok_or_else(|| format!("`{text}` is not a rule of the contents policy"))
    }
}

/// An exception to a rule. It holds in the recipe that says it and in those that extend that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The rule.
    pub rule: PolicyRule,
    /// Why.
    pub reason: String,
    /// The paths that it is for; empty means all.
    pub paths: Vec<At<Pattern>>,
}

impl Exception {
    /// Whether it is for a path; `None` is something without one, which only an exception for all takes.
    pub fn takes(&self, path: Option<&ImagePath>) -> bool {
        self.paths.is_empty()
            || path.is_some_and(|path| self.paths.iter().any(|pattern| pattern.value.matches(path.as_str())))
    }
}

//! Which file needs which, and why a file is there.

use serde::{Deserialize, Serialize};

use crate::ident::ImagePath;

/// How a file needs another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// As a library, by the name in its header.
    Library(String),
    /// As the program that runs it, or as its loader.
    Interpreter(String),
    /// It opens it at run time, for this.
    Opened(String),
}

/// A need that is met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// What is needed.
    pub path: ImagePath,
    /// Who needs it.
    pub by: ImagePath,
    /// How.
    pub need: Need,
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Library(name) => write!(f, "as the library {name}"),
            Self::Interpreter(path) => write!(f, "as its interpreter {path}"),
            Self::Opened(what) => write!(f, "at run time: {what}"),
        }
    }
}

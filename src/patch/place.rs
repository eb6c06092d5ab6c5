//! Where images are kept for those who use them: a registry, or a folder of OCI layouts.

use std::fmt;
use std::path::PathBuf;

use crate::diag::{Problem, Result, codes};
use crate::host::{self, Progress};
use crate::ident::{BlobDigest, Prefix, RecipeName, Reference, Repository, TagName};
use crate::image::{self, Image};
use crate::pipeline;
use crate::publish::{self, Access, Depth, Order, Published};
use crate::sign::{Signer, trusted_root};
use crate::store::Store;

/// Where images are kept.
pub enum Place {
    /// Below the first part of the repositories' names, with cosign's older form of signatures or without.
    Registry {
        /// Who is asked for what is there, and given what is new.
        access: Box<Access>,
        /// The first part of the repositories' names.
        prefix: Prefix,
        /// Whether cosign's older form is written.
        older_form: bool,
    },
    /// A layout each, as `hardpan build` writes them.
    Folder(PathBuf),
}

/// What is there of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct There {
    /// The digest that its moving tags name.
    pub digest: Option<BlobDigest>,
    /// Whether all its tags name the wanted digest, so that nothing is left to do.
    pub is_whole: bool,
}

/// What came of bringing one out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Out {
    /// Where it is, for people and for the ledger.
    pub place: String,
    /// The repository, where it is in a registry.
    pub repository: Option<Repository>,
    /// All its tags, the dated one included.
    pub tags: Vec<TagName>,
}

/// An image that is to be brought out.
#[derive(Debug, Clone, Copy)]
pub struct Goods<'a> {
    /// The recipe's name, which is the repository's last part.
    pub name: &'a RecipeName,
    /// The folder that its layout has where there is no registry.
    pub folder: &'a str,
    /// Its moving tags, the most telling first.
    pub tags: &'a [TagName],
    /// All of it.
    pub image: &'a Image,
    /// Whether its tags may come from an image that was created later: where it is known that none of its packages goes back.
    pub allow_older: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry { prefix, .. } => prefix.fmt(out),
            Self::Folder(root) => root.display().fmt(out),
        }
    }
}

impl Place {
    /// What there is of an image that has these tags.
    pub fn look(
        &self,
        name: &RecipeName,
        folder: &str,
        tags: &[TagName],
        wanted: &BlobDigest,
    ) -> Result<There> {
        match self {
            Self::Registry { access, .. } => {
                let repository = self.repository(name)?;
                let mut there = There { digest: None, is_whole: true };
                for tag in tags {
                    let glance = publish::glance(access, &repository, tag.as_str())?;
                    there.is_whole &= glance.as_ref().is_some_and(|glance| glance.digest == *wanted);
                    // The last is the one that moves most: a version's own tag may be new.
                    there.digest = glance.map(|glance| glance.digest).or(there.digest);
                }
                Ok(there)
            }
            Self::Folder(root) => {
                let path = root.join(folder);
                let digest = if host::exists(&path.join("index.json")) {
                    // What does not read is replaced by what does.
                    Image::open(&path).ok().and_then(|image| image.descriptor()).map(|found| found.digest)
                } else {
                    None
                };
                Ok(There { digest, is_whole: digest == Some(*wanted) })
            }
        }
    }

    /// Opens what is there under a digest, layers included.
    pub fn open(&self, name: &RecipeName, folder: &str, digest: BlobDigest, store: &Store) -> Result<Image> {
        match self {
            Self::Registry { access, .. } => {
                let reference =
                    Reference { repository: self.repository(name)?, tag: None, digest: Some(digest) };
                let index = publish::pull(access, &reference, store, Depth::Everything)?;
                Image::in_store(&reference.to_string(), store, index)
            }
            Self::Folder(root) => Image::open(&root.join(folder)),
        }
    }

    /// Brings an image out: the moving tags last, nothing twice.
    pub fn put(
        &self,
        goods: &Goods<'_>,
        signer: &dyn Signer,
        store: &Store,
        progress: &Progress,
    ) -> Result<Out> {
        let Goods { name, folder, tags, image, allow_older } = *goods;
        match self {
            Self::Registry { access, older_form, .. } => {
                let repository = self.repository(name)?;
                let extra = if *older_form && signer.lasting_identity().is_some() {
                    pipeline::older_tags(access, image, signer, &repository)?
                } else {
                    Vec::new()
                };
                let order = Order { image, repository, tags: tags.to_vec(), extra: &extra, allow_older };
                let Published { repository, tags, .. } = publish::push(access, store, progress, &order)?;
                Ok(Out { place: repository.to_string(), repository: Some(repository), tags })
            }
            Self::Folder(root) => {
                let path = root.join(folder);
                image::copy_layout(&path, image, &[("trusted_root.json", trusted_root())])?;
                Ok(Out { place: path.display().to_string(), repository: None, tags: tags.to_vec() })
            }
        }
    }

    /// The repository of an image, where this is a registry.
    pub fn repository_of(&self, name: &RecipeName) -> Result<Option<Repository>> {
        if let Self::Registry { .. } = self { self.repository(name).map(Some) } else { Ok(None) }
    }

    fn repository(&self, name: &RecipeName) -> Result<Repository> {
        let Self::Registry { prefix, .. } = self else { unreachable!("asked of registries alone") };
        prefix.repository(name.as_str()).map_err(|error| {
            Problem::new(codes::USAGE, format!("`{name}` has no place below `{prefix}`")).found(error).into()
        })
    }
}

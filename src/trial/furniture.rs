//! What a test brings along: mounted files, volumes, certificates, and the few files of `/etc` that every
//! container has.

use std::path::{Path, PathBuf};

use super::bundle::{Bind, HOSTNAME};
use super::certificate::certified;
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Rooted, Traits};
use crate::ident::ImagePath;
use crate::recipe::{Mount, TestSpec};

/// The most bytes that are mounted from a recipe's folder.
const MOST: u64 = 256 << 20;

/// Where a test's things are put, and for whom.
pub(super) struct Furnishing<'a> {
    /// An empty folder on the host.
    pub(super) folder: &'a Path,
    /// The recipe's folder.
    pub(super) recipe: Option<&'a Path>,
    /// User and group of the test, if they mean anything here.
    pub(super) owner: Option<(u32, u32)>,
    /// The image, for the modes of folders that volumes take the place of.
    pub(super) image: &'a Rooted,
}

fn traits(mode: u32, owner: Option<(u32, u32)>) -> Traits {
    Traits { mode, owner, mtime: None }
}

impl Furnishing<'_> {
    /// Makes all that a test brings.
    pub(super) fn furnish(&self, test: &TestSpec) -> Result<Vec<Bind>> {
        let mut binds = Vec::new();
        for (number, (path, mount)) in test.mounts.iter().enumerate() {
            let (source, folder) = self.mount(&format!("mount-{number}"), &mount.value)?;
            binds.push(Bind { source, destination: path.clone(), folder, writable: false });
        }
        for (number, path) in test.volumes.iter().enumerate() {
            let name = format!("volume-{number}");
            let mode = self.image.meet(Path::new(path.as_str())).ok().flatten();
            let mode = mode.filter(|found| found.folder).map_or(0o755, |found| found.mode);
            self.on(|tree| tree.make_folder(Path::new(&name), traits(mode, self.owner)))?;
            let (source, destination) = (self.folder.join(name), path.clone());
            binds.push(Bind { source, destination, folder: true, writable: true });
        }
        if let Some(path) = &test.tls {
            binds.push(self.certificates(path)?);
        }
        self.names(test.network, &mut binds)?;
        Ok(binds)
    }

    fn on<T>(&self, make: impl FnOnce(&mut Rooted) -> std::io::Result<T>) -> Result<T> {
        let made = Rooted::open(self.folder).and_then(|mut tree| make(&mut tree));
        made.map_err(|error| host::file_problem("making a test's files in", self.folder, &error).into())
    }

    fn file(&self, name: &str, bytes: &[u8], traits: Traits) -> Result<PathBuf> {
        self.on(|tree| tree.make_file(Path::new(name), &mut &*bytes, traits))?;
        Ok(self.folder.join(name))
    }

    fn mount(&self, name: &str, mount: &Mount) -> Result<(PathBuf, bool)> {
        let from = match mount {
            Mount::Text { text, mode } => {
                return Ok((self.file(name, text.as_bytes(), traits(*mode, None))?, false));
            }
            Mount::From { from, mode } => (from, *mode),
        };
        let (from, mode) = from;
        let recipe = self.recipe.ok_or_else(|| no_folder(from))?;
        let whole = host::whole_path(&recipe.join(from));
        if !host::exists(&whole) || !whole.starts_with(host::whole_path(recipe)) {
            let what = format!("the test's `{from}` is not in the recipe's folder `{}`", recipe.display());
            return Err(Problem::new(codes::NO_FILE, what)
                .help("what is mounted lies beside the recipe")
                .into());
        }
        self.copy(name, &whole, mode)
    }

    /// A copy that every user may read: the recipe's folder may be closed to the test's.
    fn copy(&self, name: &str, from: &Path, mode: Option<u32>) -> Result<(PathBuf, bool)> {
        let default =
            |path: &Path| -> Result<u32> { Ok(if host::is_executable(path)? { 0o755 } else { 0o644 }) };
        if host::is_file(from) {
            let mode = mode.map_or_else(|| default(from), Ok)?;
            return Ok((self.file(name, &host::read(from)?, traits(mode, None))?, false));
        }
        self.on(|tree| tree.make_folder(Path::new(name), traits(0o755, None)))?;
        let mut bytes = 0;
        for path in host::walk(from)?.into_iter().filter(|path| host::is_file(path)) {
            bytes += host::size_and_use(&path)?.0;
            if bytes > MOST {
                let what = format!("the folder `{}` is too large to be mounted in a test", from.display());
                return Err(Problem::new(codes::NO_FILE, what)
                    .expected(format!("at most {MOST} bytes"))
                    .into());
            }
            let inside = Path::new(name).join(path.strip_prefix(from).unwrap_or(&path));
            let (content, mode) = (host::read(&path)?, default(&path)?);
            self.on(|tree| tree.make_file(&inside, &mut &content[..], traits(mode, None)))?;
        }
        Ok((self.folder.join(name), true))
    }

    fn certificates(&self, path: &ImagePath) -> Result<Bind> {
        let made = certified().map_err(|error| {
            Problem::new(codes::INTERNAL, "no certificate can be made").fact("cause", error)
        })?;
        self.on(|tree| tree.make_folder(Path::new("tls"), traits(0o755, None)))?;
        self.file("tls/ca.pem", made.ca.as_bytes(), traits(0o644, None))?;
        self.file("tls/cert.pem", made.cert.as_bytes(), traits(0o644, None))?;
        // Servers refuse keys that others can read.
        self.file("tls/key.pem", made.key.as_bytes(), traits(0o600, self.owner))?;
        let source = self.folder.join("tls");
        Ok(Bind { source, destination: path.clone(), folder: true, writable: false })
    }

    /// Names of hosts, where the test does not bring its own.
    fn names(&self, network: bool, binds: &mut Vec<Bind>) -> Result<()> {
        let own = format!("127.0.0.1 localhost {HOSTNAME}\n::1 localhost {HOSTNAME}\n");
        let of_host = |path: &str| {
            if network { host::read_lossy(Path::new(path)).unwrap_or_default() } else { String::new() }
        };
        let files = [
            ("hosts", own + &of_host("/etc/hosts")),
            ("hostname", format!("{HOSTNAME}\n")),
            ("resolv.conf", of_host("/etc/resolv.conf")),
        ];
        for (name, text) in files {
            let destination: ImagePath = format!("/etc/{name}").parse().expect("a path");
            if !binds.iter().any(|bind| destination.is_under(&bind.destination)) {
                let source = self.file(name, text.as_bytes(), traits(0o644, None))?;
                binds.push(Bind { source, destination, folder: false, writable: false });
            }
        }
        Ok(())
    }
}

fn no_folder(from: &str) -> Problem {
    Problem::new(codes::USAGE, format!("a test mounts `{from}` from the recipe's folder, which is not known"))
        .help("provenance carries recipes, not what lies beside them: name the recipe with `--recipe FILE`")
}

//! Work that the kernel holds to its bounds: no network, nothing written but below given folders.
//!
//! Landlock binds a thread and all that it starts, so the work runs in a thread of its own and the
//! rest of the process keeps its powers. Where the kernel can't, less is enforced, and said so.

use std::io;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

use super::file_problem;
use crate::diag::Result;

/// The newest set of rules that is asked for; older kernels enforce what they know of it.
const NEWEST: ABI = ABI::V10;

/// Runs `work` where only what is below `writable` can be written, and nothing connected to. With its
/// result, what the kernel enforced, in words that are the same on the same kernel.
pub fn confined<T: Send>(
    writable: &[&Path],
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<(T, Vec<String>)> {
    std::thread::scope(|scope| {
        let confined = scope.spawn(|| {
            let enforced = confine(writable).map_err(|error| {
                file_problem("confining the work to", writable[0], &io::Error::other(error))
            })?;
            Ok((work()?, enforced))
        });
        confined.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What the kernel will hold confined work to, as [`confined`] says it.
fn confine(writable: &[&Path]) -> std::result::Result<Vec<String>, RulesetError> {
    let writes = AccessFs::from_write(NEWEST);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(writes)?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for path in writable {
        // A folder that can't be opened can't be written to either.
        if let Ok(folder) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(folder, writes))?;
        }
    }
    let status = rules.restrict_self()?;
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if status.ruleset != RulesetStatus::NotEnforced => {
            effective_abi as i32
        }
        _ => 0,
    };
    let rules = [
        (1, "Landlock: files are written only below the store"),
        (4, "Landlock: TCP connections are neither made nor taken"),
        (6, "Landlock: no signals and no abstract sockets to other processes"),
        (10, "Landlock: UDP is neither sent nor taken"),
    ];
    let mut enforced: Vec<String> =
        rules.into_iter().filter(|(from, _)| abi >= *from).map(|(_, rule)| rule.to_owned()).collect();
    if status.no_new_privs {
        enforced.push("no new privileges".to_owned());
    }
    Ok(enforced)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn confined_work_writes_only_where_it_may_and_reaches_nobody() {
        let (inside, outside) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let tried = confined(&[inside.path()], || {
            let written = std::fs::write(inside.path().join("a"), b"a").is_ok();
            // Threads that it starts are bound as well.
            let elsewhere = std::thread::scope(|scope| {
                scope.spawn(|| std::fs::write(outside.path().join("b"), b"b").is_ok()).join().expect("ends")
            });
            Ok((written, elsewhere, TcpStream::connect(address).is_ok()))
        });
        let ((written, elsewhere, connected), enforced) = tried.expect("ran");
        assert!(written);
        let says = |word: &str| enforced.iter().any(|rule| rule.contains(word));
        // What is said to be enforced is, and what is enforced is said.
        assert_eq!(elsewhere, !says("files are written only"));
        assert_eq!(connected, !says("TCP"));
        assert!(TcpStream::connect(address).is_ok(), "the rest of the process is not bound");
    }
}

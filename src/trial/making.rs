//! From what a test says to a container that waits to be let go: user, program, mounts, bundle.

use super::account::{Account, account};
use super::bundle::{Bind, OWN_MOUNTS, Plan};
use super::container::Container;
use super::outcome::Mismatch;
use super::room::Room;
use super::sight::Sight;
use crate::diag::Result;
use crate::ident::{ImagePath, RecipeName};
use crate::recipe::{Owner, RunSpec};

/// Why there is no container.
pub(super) enum NotMade {
    /// The program is not there, or nobody may run it.
    Program(String),
    /// Something else.
    Container(Mismatch),
}

/// What runtimes say where a program or its folder, not the machine, is at fault.
const OF_PROGRAMS: [&str; 4] = ["exec", "executable", "chdir", "cwd"];

impl Room<'_> {
    /// A container that waits to be let go.
    pub(super) fn container(&mut self, run: &RunSpec) -> Result<std::result::Result<Container, NotMade>> {
        let name = run.image.as_ref();
        let subject = self.hall.subject(name);
        let user = run.user.as_ref().map_or_else(|| subject.setup.user.clone(), |at| name_of(&at.value));
        let account = match account(&subject.tree, &user) {
            Ok(account) => account,
            Err(why) => return Ok(Err(NotMade::Container(Mismatch::new("the user", "to be known", why)))),
        };
        let env = subject.setup.variables(&run.env, &account.home);
        let workdir = run.workdir.as_ref().map_or(subject.setup.workdir.clone(), ToString::to_string);
        let words = match self.words(run, &env, &workdir, &account) {
            Ok(words) => words,
            Err(why) => return Ok(Err(NotMade::Program(why))),
        };
        if let Some(mismatch) = self.one_user_only(&account) {
            return Ok(Err(NotMade::Container(mismatch)));
        }
        if let Err(why) = self.prepare(name) {
            let mismatch = Mismatch::new("what is mounted", "to have a place", why);
            return Ok(Err(NotMade::Container(mismatch)));
        }
        let made = self.make(run, &words, &env, &workdir, &account)?;
        Ok(made.map_err(|why| {
            let machine = !OF_PROGRAMS.iter().any(|word| why.contains(word));
            NotMade::Container(Mismatch { machine, ..Mismatch::new("the container", "to be made", why) })
        }))
    }

    /// Program and arguments, where there is such a program.
    fn words(
        &self,
        run: &RunSpec,
        env: &[String],
        workdir: &str,
        account: &Account,
    ) -> std::result::Result<Vec<String>, String> {
        let subject = self.hall.subject(run.image.as_ref());
        let mut words = subject.setup.words(&run.command);
        let first = words.first().ok_or("the image has neither entrypoint nor cmd")?;
        let sight = Sight { binds: &self.binds, tree: &subject.tree, tmp: None };
        let known = Some(account).filter(|_| self.hall.powers.root);
        let program = sight.program(first, env, workdir, known)?;
        if let Some(emulator) = subject.prefix() {
            words[0] = program.to_string();
            words.insert(0, emulator);
        }
        Ok(words)
    }

    /// runc maps no user but root where there is only one to map.
    fn one_user_only(&self, account: &Account) -> Option<Mismatch> {
        if self.hall.powers.root || !self.hall.runtime.is_runc() || (account.uid, account.gid) == (0, 0) {
            return None;
        }
        let found = "runc, which knows none but root in a user name space: install crun, or run as root";
        let expected = format!("a runtime for user {}:{}", account.uid, account.gid);
        Some(Mismatch { machine: true, ..Mismatch::new("the container", expected, found) })
    }

    /// The places at which something is mounted in an image, once a test.
    fn prepare(&mut self, name: Option<&RecipeName>) -> std::result::Result<(), String> {
        if self.made.iter().any(|(there, _)| there.as_ref() == name) {
            return Ok(());
        }
        let own = OWN_MOUNTS.iter().map(|(path, folder)| (path.parse().expect("a path"), *folder));
        let emulator = self.hall.subject(name).emulator.clone();
        let binds = self.binds.iter().chain(&emulator).map(|bind| (bind.destination.clone(), bind.folder));
        let mut places: Vec<(ImagePath, bool)> = own.chain(binds).collect();
        // One inside another's place on the host is made by the runtime, inside that mount.
        let outer: Vec<ImagePath> =
            places.iter().filter(|(_, folder)| *folder).map(|(path, _)| path.clone()).collect();
        places.retain(|(path, _)| !outer.iter().any(|outer| outer != path && path.is_under(outer)));
        let made = self.hall.prepare(name, &places)?;
        self.made.push((name.cloned(), made));
        Ok(())
    }

    fn make(
        &mut self,
        run: &RunSpec,
        words: &[String],
        env: &[String],
        workdir: &str,
        account: &Account,
    ) -> Result<std::result::Result<Container, String>> {
        let network = (!self.test.network).then(|| self.attendant.network());
        loop {
            let (state, id) = (self.hall.ground.state(), self.hall.ground.new_id());
            let bundle = self.hall.ground.new_folder("tests")?;
            let subject = self.hall.subject(run.image.as_ref());
            let binds: Vec<Bind> = self.binds.iter().chain(&subject.emulator).cloned().collect();
            let plan = Plan {
                rootfs: &subject.rootfs,
                id: &id,
                words,
                env,
                workdir,
                account,
                binds: &binds,
                network: network.as_deref(),
                memory: self.test.memory,
                powers: self.hall.powers,
            };
            let input = run.stdin.clone().map(String::into_bytes);
            let made = Container::make(&self.hall.runtime, state, bundle, &plan, input)?;
            match made {
                Err(why) if self.hall.powers.cgroups && why.contains("cgroup") => {
                    // A machine that is itself a container often has none to give.
                    self.hall.powers.cgroups = false;
                }
                made => return Ok(made),
            }
        }
    }
}

/// An owner as images' configurations write it.
pub(super) fn name_of(owner: &Owner) -> String {
    owner.group.as_ref().map_or_else(|| owner.user.clone(), |group| format!("{}:{group}", owner.user))
}

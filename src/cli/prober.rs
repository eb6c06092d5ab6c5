//! What a draft's program says when it is asked, in a container as an image's tests have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::rebuild::built_image;
use crate::diag::{Result, SourceText};
use crate::draft::{Prober, Ran};
use crate::pipeline::{Context, Finished};
use crate::recipe::{Action, Command, Ending, Place, RunSpec, TestSpec, TestStep};
use crate::trial::{self, Heard, Part, Trial};

/// Seconds that a program has to answer; some run on, for they take the question for something else.
const PATIENCE: u32 = 10;

/// MiB of memory that it has.
const MEMORY: u32 = 1024;

/// Runs programs in containers of an OCI runtime.
pub(super) struct Containers {
    /// Whether this is root of the machine.
    pub(super) root: bool,
    /// The recipes' folder.
    pub(super) folder: PathBuf,
}

impl Prober for Containers {
    fn ask(
        &self,
        context: &Context,
        _recipe: &Path,
        finished: &Finished,
        commands: &[Vec<String>],
    ) -> Result<Option<Vec<Ran>>> {
        let image = built_image(context, finished)?;
        let platform = trial::platform_of(&image, &finished.built.platforms[0].platform.to_string())?;
        let tests: Vec<TestSpec> = commands.iter().map(|command| test(command)).collect();
        let trial = Trial {
            part: Part { image: &image, platform },
            tests: &tests,
            others: BTreeMap::new(),
            recipe: Some(&self.folder),
            home: &context.store.root().join("trial"),
            runtime: None,
            root: self.root,
        };
        // A machine that can't run images is no problem of the draft.
        let Ok(Some(heard)) = trial::hear(&trial) else { return Ok(None) };
        Ok(Some(heard.into_iter().map(ran).collect()))
    }
}

fn ran(heard: Heard) -> Ran {
    let exit = heard.exit.and_then(|code| u8::try_from(code).ok());
    Ran { exit, stdout: heard.stdout, stderr: heard.stderr }
}

/// A test that runs a command and expects nothing.
fn test(command: &[String]) -> TestSpec {
    let source = Arc::new(SourceText { name: "a question".to_owned(), text: String::new() });
    let place = Place { source, span: 0..0 };
    let run = RunSpec {
        command: Command::Program(command.to_vec()),
        stdin: None,
        env: BTreeMap::new(),
        user: None,
        workdir: None,
        ending: Ending::Well,
        stdout: Vec::new(),
        stderr: Vec::new(),
        files: BTreeMap::new(),
        server: None,
        image: None,
    };
    let step = TestStep { place: place.clone(), timeout: PATIENCE, action: Action::Run(Box::new(run)) };
    TestSpec {
        name: command.join(" "),
        place,
        user: None,
        mounts: BTreeMap::new(),
        volumes: Vec::new(),
        tls: None,
        network: false,
        memory: MEMORY,
        steps: vec![step],
    }
}

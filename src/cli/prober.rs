//! What a draft's program says when it is asked, in a container as an image's tests have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::rebuild::built_image;
use crate::diag::{Result, SourceText};
use crate::draft::{Prober, Ran, Stage};
use crate::pipeline::{Context, Finished};
use crate::recipe::{Action, At, Command, Ending, Family, Mount, Place, RunSpec, TestSpec, TestStep};
use crate::trial::{self, Greeting, Heard, Part, Trial, Verdict, Visit};

/// Seconds that a program has to answer; some run on, for they take the question for something else.
const PATIENCE: u32 = 10;

/// Seconds that a server has to come up.
const SERVERS_PATIENCE: u32 = 12;

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
        let tests: Vec<TestSpec> = commands.iter().map(|command| test(command, PATIENCE)).collect();
        // A machine that can't run images is no problem of the draft.
        let heard = self.with(context, finished, &tests, trial::hear)?.ok().flatten();
        Ok(heard.map(|heard| heard.into_iter().map(ran).collect()))
    }

    fn visit(
        &self,
        context: &Context,
        finished: &Finished,
        stage: &Stage,
        greetings: &[Greeting],
    ) -> Result<Option<Visit>> {
        let mut spec = test(&stage.command, SERVERS_PATIENCE);
        spec.volumes.clone_from(&stage.volumes);
        let mount = |text: &String| Mount::Text { text: text.clone(), mode: 0o644 };
        let place = spec.place.clone();
        let mounts = stage.mounts.iter();
        spec.mounts = mounts
            .map(|(path, text)| (path.clone(), At { value: mount(text), place: place.clone() }))
            .collect();
        let visit = |trial: &Trial| trial::visit(trial, greetings);
        Ok(self.with(context, finished, &[spec], visit)?.ok().flatten())
    }

    fn failing(&self, context: &Context, recipe: &Path, finished: &Finished) -> Result<Option<Vec<String>>> {
        let chain = Family::open(recipe)?.chain(None, finished.built.platforms[0].platform)?;
        let run = |trial: &Trial| trial::run(trial, |_| {});
        let results = self.with(context, finished, &chain.last().tests, run)?.ok();
        let failed = |results: trial::Results| {
            let failed = results.outcomes.into_iter().filter(|one| one.verdict == Verdict::Failed);
            failed.map(|one| one.name).collect()
        };
        Ok(results.map(failed))
    }
}

impl Containers {
    /// Does something with tests of the first platform's image.
    fn with<T>(
        &self,
        context: &Context,
        finished: &Finished,
        tests: &[TestSpec],
        act: impl FnOnce(&Trial) -> Result<T>,
    ) -> Result<Result<T>> {
        let image = built_image(context, finished)?;
        let platform = trial::platform_of(&image, &finished.built.platforms[0].platform.to_string())?;
        let trial = Trial {
            part: Part { image: &image, platform },
            tests,
            others: BTreeMap::new(),
            recipe: Some(&self.folder),
            home: &context.store.root().join("trial"),
            runtime: None,
            root: self.root,
        };
        Ok(act(&trial))
    }
}

fn ran(heard: Heard) -> Ran {
    let exit = heard.exit.and_then(|code| u8::try_from(code).ok());
    Ran { exit, stdout: heard.stdout, stderr: heard.stderr }
}

/// A test that runs a command and expects nothing.
fn test(command: &[String], timeout: u32) -> TestSpec {
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
        retry: false,
        server: None,
        image: None,
    };
    let step = TestStep { place: place.clone(), timeout, action: Action::Run(Box::new(run)) };
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

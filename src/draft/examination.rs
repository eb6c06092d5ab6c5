//! The tests of a draft: what its program was seen to do.

use super::compose::Parts;
use super::greeting::Ask;
use super::probe::{Answer, Worth};
use super::serving::Serving;
use super::sheet::{Server, Test};

/// The tests.
pub(super) fn tests(parts: &Parts) -> Vec<Test> {
    let mut tests = vec![match parts.answer {
        Some(answer) => answered(answer),
        None => Test {
            comment: vec!["Not tried: whether it knows this option is a guess.".to_owned()],
            name: "says its version".to_owned(),
            run: vec![parts.program.path.to_string(), "--version".to_owned()],
            ..Test::default()
        },
    }];
    match (parts.serving, parts.silence) {
        (Some(serving), _) => tests.push(served(parts, serving)),
        (None, Some(why)) => tests[0].comment.push(format!(
            "The server itself is not tested: with what the package brings it did not come up here as an ordinary user ({why})."
        )),
        (None, None) => {}
    }
    if parts.plan.shell.is_none() && !parts.plan.allow.contains_key("shell") {
        tests.push(Test {
            name: "has no shell".to_owned(),
            run: ["/bin/sh", "-c", "true"].map(ToOwned::to_owned).to_vec(),
            fails: true,
            ..Test::default()
        });
    }
    tests
}

fn answered(answer: &Answer) -> Test {
    let (name, comment) = match answer.worth {
        Worth::Version | Worth::VersionBadly => ("says its version", ""),
        Worth::Help => ("says how it is used", "It was not found out how it says its version."),
        Worth::Usage => ("begins, and says how it is used", "It was not found out how it says its version."),
        Worth::Begins | Worth::Nothing => (
            "begins",
            "All that could be had of it by itself: give it what it needs, and test that it works.",
        ),
    };
    let (stdout, stderr) = match answer.says.clone() {
        Some((text, true)) => (None, Some(text)),
        Some((text, false)) => (Some(text), None),
        None => (None, None),
    };
    Test {
        comment: vec![comment.to_owned()],
        name: name.to_owned(),
        run: answer.command.clone(),
        exit: answer.ran.exit.filter(|exit| *exit != 0),
        fails: false,
        stdout,
        stderr,
        server: None,
    }
}

fn served(parts: &Parts, serving: &Serving) -> Test {
    let (what, mut comment) = match &serving.ask {
        Ask::Nothing => ("listens", vec!["What it speaks was not found out: ask it something.".to_owned()]),
        Ask::Http(..) => ("answers by HTTP", Vec::new()),
        Ask::Tcp { comment, .. } => ("answers", vec![(*comment).to_owned()]),
    };
    let moved = !serving.mounts.is_empty() || !serving.more.is_empty();
    if moved {
        comment.push(
            "Its own port is for root where the runtime does not let everybody have it: here it has another."
                .to_owned(),
        );
    }
    let args = (!serving.more.is_empty()).then(|| [&parts.program.arguments[..], &serving.more[..]].concat());
    Test {
        comment,
        name: format!("comes up and {what} on port {}", serving.port),
        server: Some(Server {
            port: serving.port,
            args,
            exit: serving.stop.exit,
            ask: serving.ask.clone(),
            volumes: serving.volumes.clone(),
            mounts: serving.mounts.clone(),
        }),
        ..Test::default()
    }
}

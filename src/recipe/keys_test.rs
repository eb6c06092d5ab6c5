//! Keys of `[[test]]`, and of `[[test.step]]`, whose keys of a run are the same.

use super::shape::Kind::{self, Either, Flag, Integer, List, Map, Table, Text};
use super::shape::{Key, key, needed};

const TEXTS: Kind = List(&Text);
const TEXT_OR_TEXTS: Kind = Either(&[Text, TEXTS]);

/// Both lists, one behind the other; a constant's length has to be said.
const fn joined<const A: usize, const B: usize, const C: usize>(
    first: &[Key; A],
    second: &[Key; B],
) -> [Key; C] {
    assert!(A + B == C, "the length is that of both");
    let mut all = [first[0]; C];
    let mut at = 0;
    while at < C {
        all[at] = if at < A { first[at] } else { second[at - A] };
        at += 1;
    }
    all
}

/// What is run, and what is expected of it.
const RUN: [Key; 14] = [
    key("run", TEXTS, "The program and its arguments; the image's entrypoint and cmd if not said."),
    key("args", TEXTS, "Arguments for the image's entrypoint, in place of its cmd."),
    key("stdin", Text, "What it reads; nothing if not said."),
    key("env", Map("variable", &Text), "Further environment variables."),
    key("user", Either(&[Integer, Text]), "Who it runs as, if not the image's user."),
    key("workdir", Text, "The folder that it begins in, if not the image's."),
    key("timeout", Integer, "Seconds after which it has failed; 30 if not said."),
    key("exit", Integer, "The exit code that it must end with; 0 if not said."),
    key(
        "retry",
        Flag,
        "Whether it is run again until it comes out right, within its time: a server may listen before it serves.",
    ),
    key("fails", Flag, "Whether it must fail, with any code but 0; a program that is not there fails too."),
    key("stdout", TEXT_OR_TEXTS, "What its output must contain; of a list, each."),
    key("stderr", TEXT_OR_TEXTS, "What its error output must contain; of a list, each."),
    key(
        "files",
        Map("path", &Either(&[Text, TEXTS, Flag])),
        "Files afterwards: path = what it must contain, `true` for there, `false` for not there.",
    ),
    key("server", Integer, "It stays up: goes on when something listens on this TCP port of the loopback."),
];

const ASK: Kind = Table(&[
    key("url", Text, "An http or https address that is asked for with GET."),
    key("status", Integer, "The status that it must answer with; 200 if not said."),
    key("body", TEXT_OR_TEXTS, "What the body must contain; of a list, each."),
    key(
        "ca",
        Text,
        "The certificate authority of an https address: a path below `tls`, a mount or a volume.",
    ),
    key("tcp", Integer, "In place of `url`: a TCP port of the loopback to connect to."),
    key("send", Text, "What is sent to the TCP port."),
    key("answer", TEXT_OR_TEXTS, "What must come back from the TCP port; of a list, each."),
]);

const STEP: [Key; 17] = joined(
    &RUN,
    &[
        key(
            "image",
            Text,
            "Another image to run it in: the one of that name beside this one, or `--with NAME=IMAGE`.",
        ),
        key("ask", ASK, "A question that hardpan asks by itself, in the network of the test."),
        key("stop", Flag, "`true` ends the servers of the test so far; they must end by themselves."),
    ],
);

const MOUNT: Kind = Either(&[
    Text,
    Table(&[
        key("text", Text, "The content."),
        key("from", Text, "A file or folder, a path below the recipe's folder."),
        key("mode", Text, "Permission bits; `0644`, or the file's own, if not said."),
    ]),
]);

const WHOLE: [Key; 21] = joined(
    &RUN,
    &[
        needed("name", Text, "What the test shows."),
        key("mount", Map("path", &MOUNT), "Read-only files of the test: path = content, or a table."),
        key("volumes", TEXTS, "Folders that are empty, writable, the user's own, and kept between steps."),
        key("tls", Text, "A folder with `ca.pem`, `cert.pem`, `key.pem` for `localhost`, made for this run."),
        key("network", Flag, "Whether it has the host's network; else one of its own, with loopback only."),
        key("memory", Integer, "The memory that it may take, in MiB; 1024 if not said."),
        key("step", List(&Table(&STEP)), "Several runs in order, sharing mounts, volumes and network."),
    ],
);

/// A test.
pub const TEST: Kind = Table(&WHOLE);

//! The recipe language: every key, what it takes, what it is for.

use super::keys_test::TEST;
use super::shape::Kind::{self, Any, Date, Either, Flag, Integer, List, Map, Table, Text};
use super::shape::{Key, key, needed};

const TEXTS: Kind = List(&Text);
const PATTERNS: &str = "patterns of paths; `*` stays inside a folder, `**` crosses folders";

const PACKAGE: Kind = Either(&[
    Text,
    TEXTS,
    Table(&[
        key("files", TEXTS, "The files to take, as patterns; without it the runtime files."),
        key("except", TEXTS, "What to leave out of them, as patterns."),
        key("platforms", TEXTS, "The platforms that take it; without it all."),
    ]),
]);

const ARCHIVE: Kind = Table(&[
    key("suites", TEXTS, "Its suites, such as `trixie`."),
    key("components", TEXTS, "Its components; `main` if not said."),
    key("keys", TEXTS, "OpenPGP public keys that sign its release files: paths beside the recipe."),
    key("origin", Text, "The Origin that its release files must say."),
    key("label", Text, "The Label that its release files must say."),
    key(
        "priority",
        Integer,
        "Versions of an archive with a higher number win over newer ones; 500 if not said.",
    ),
]);

const DEBIAN: Kind = Table(&[
    key("suite", Text, "The Debian suite: `trixie` means main, updates and security together."),
    key("components", TEXTS, "Debian's components; `main` if not said."),
    key(
        "packages",
        Either(&[TEXTS, Map("package name", &PACKAGE)]),
        "Packages and the files to take from each; bare means its runtime files, `all` every file.",
    ),
    key("prefer", TEXTS, "Packages to take where a dependency leaves a choice."),
    key("archives", Map("archive name", &ARCHIVE), "Further archives, such as a team's own repository."),
]);

const DIRECTORY: Kind = Either(&[
    Text,
    Table(&[
        key("mode", Text, "Permission bits, `0755` if not said."),
        key("owner", Text, "`user:group`, as numbers or names; `0:0` if not said."),
    ]),
]);

const TEXT_FILE: Kind = Either(&[
    Text,
    Table(&[
        needed("text", Text, "The content."),
        key("mode", Text, "Permission bits, `0644` if not said."),
        key("owner", Text, "`user:group`, as numbers or names; `0:0` if not said."),
    ]),
]);

const LOCAL_FILE: Kind = Either(&[
    Text,
    Table(&[
        needed("from", Text, "The file, a path below the recipe's folder."),
        key("mode", Text, "Permission bits; `0755` if the file is executable, else `0644`, if not said."),
        key("owner", Text, "`user:group`, as numbers or names; `0:0` if not said."),
    ]),
]);

const DOWNLOAD: Kind = Table(&[
    needed("url", Text, "Where it is; `{version}` stands for the recipe's version."),
    needed("sha256", Text, "The digest of the whole file."),
    needed("place", Text, "The folder in the image that its content goes below."),
    key(
        "format",
        Text,
        "`tar`, `tar.gz`, `tar.xz`, `tar.zst`, `zip` or `file`; by the address's ending if not said.",
    ),
    key("strip", Integer, "How many leading folders of each member's name to take off; 0 if not said."),
    key("pick", TEXTS, "The members to take, as patterns after stripping; all if not said."),
    key("owner", Text, "`user:group` of all of it; `0:0` if not said."),
]);

const USER: Kind = Either(&[
    Integer,
    Table(&[
        needed("uid", Integer, "Its number."),
        key("gid", Integer, "The number of its group; the same as `uid` if not said."),
        key("groups", TEXTS, "Further groups it is in."),
        key("home", Text, "Its home folder; `/nonexistent` if not said."),
        key("shell", Text, "Its shell; `/usr/sbin/nologin` if not said."),
        key("comment", Text, "Its full name."),
    ]),
]);

const IMAGE: Kind = Table(&[
    key(
        "user",
        Either(&[Integer, Text]),
        "Who the process runs as: a number, `uid:gid`, or a declared name.",
    ),
    key("entrypoint", TEXTS, "The program and its first arguments."),
    key("cmd", TEXTS, "Default arguments, replaced by those given at run time."),
    key("env", Map("variable", &Text), "Environment variables."),
    key("workdir", Text, "The working folder; made if it is not there."),
    key("ports", List(&Either(&[Integer, Text])), "Ports the program listens on: `8080` or `53/udp`."),
    key("volumes", TEXTS, "Folders that hold data outside the image."),
    key("stop-signal", Text, "The signal that ends the program, such as `SIGQUIT`."),
    key("labels", Map("label", &Text), "Labels of the image's configuration."),
    key("annotations", Map("annotation", &Text), "Annotations of its manifests and index."),
]);

/// An exception to a rule of the contents policy.
const ALLOWED: Kind = Either(&[
    Text,
    Table(&[
        needed("reason", Text, "Why the image needs it; it goes into labels and SBOMs."),
        key("paths", TEXTS, "Which paths are allowed, as patterns; all if not said."),
    ]),
]);

const POLICY: Kind = Table(&[key(
    "allow",
    Table(&[
        key("shell", ALLOWED, "Why there is a shell."),
        key("package-manager", ALLOWED, "Why there is a package manager."),
        key("setuid", ALLOWED, "Why there are set-id bits or capabilities."),
        key("world-writable", ALLOWED, "Why there is what anybody may write."),
        key("secrets", ALLOWED, "Why there is what looks like a key or a token."),
        key("unowned", ALLOWED, "Why there is what belongs to no account."),
        key("root", ALLOWED, "Why the image runs as root."),
    ]),
    "Exceptions: rule = the reason, or a table with the reason and the paths.",
)]);

const CLOSURE: Kind = Table(&[
    key(
        "skip",
        Map("library or interpreter", &Text),
        "Needs that are left unmet on purpose: a library's name or an interpreter = the reason.",
    ),
    key(
        "dlopen",
        Map("path or pattern", &TEXTS),
        "What files open at run time: libraries' names, or patterns; replaces what hardpan knows of them.",
    ),
    key(
        "keep",
        Map("package name", &Text),
        "Packages that nothing in the image needs, and why they are there all the same.",
    ),
]);

const SYSTEM: Kind = Table(&[
    key("certificates", TEXTS, "Further certificates to trust: PEM files in the recipe's folder."),
    key(
        "certificate-links",
        Flag,
        "Whether each certificate is in `/etc/ssl/certs` by its own name and hash as well; `true` if not said.",
    ),
    key("java-trust-store", Flag, "Whether Java's trust store is made, `/etc/ssl/certs/java/cacerts`."),
    key("locales", TEXTS, "Locales to take from the package `locales-all`, such as `de_CH.UTF-8`."),
    key(
        "timezones",
        Either(&[Text, TEXTS]),
        "The time zones that stay of those taken: `all`, `none`, or patterns such as `Europe/*`.",
    ),
    key("timezone", Text, "The local time zone: `/etc/localtime` and `/etc/timezone`."),
    key("os-release", Map("field", &Text), "Fields of `/etc/os-release`, set over Debian's own."),
    key(
        "alternatives",
        Map("path", &Text),
        "Names by which one of several programs is called: path = the program, as update-alternatives links it.",
    ),
    key("nsswitch", Map("database", &Text), "`/etc/nsswitch.conf`: database = where it is looked up."),
    key("mime", Flag, "Whether the database of MIME types in `/usr/share/mime` is made."),
]);

const LIFECYCLE: Kind = Table(&[
    key("owner", Text, "The team that answers for the image."),
    key("contact", Text, "Where that team is reached."),
    key("end-of-life", Date, "The day after which it gets no more fixes."),
    key("status", Text, "A word such as `stable`, `deprecated`."),
]);

const CATALOG: Kind = Table(&[
    key("category", Text, "Where the catalog lists it."),
    key("keywords", TEXTS, "Words it is found by."),
    key("replaces", TEXTS, "Public images that it takes the place of."),
]);

const AMENDMENT: Kind = Table(&[
    key("summary", Text, "What this variant is, in a line."),
    key("add", Table(AMENDABLE), "What comes on top: new keys, further list elements."),
    key("replace", Table(AMENDABLE), "What is said instead: keys that are there."),
    key("remove", Any, "What goes: by section, a list of keys or elements."),
]);

/// What `add` and `replace` may hold.
pub const AMENDABLE: &[Key] = &[
    key("summary", Text, "What the image is, in a line."),
    key("description", Text, "What the image is, in a paragraph."),
    key("version", Text, "What `{version}` means, if it is not a package's."),
    key("version-of", Text, "The package whose upstream version is what `{version}` means."),
    key("tags", TEXTS, "Tags; `{version}` stands for the version."),
    key("debian", DEBIAN, "What comes from Debian packages."),
    key("links", Map("path", &Text), "Symbolic links: path = target."),
    key("directories", Map("path", &DIRECTORY), "Folders to make: path = mode, or a table."),
    key("files", Map("path", &TEXT_FILE), "Small text files: path = content, or a table."),
    key("file", Map("path", &LOCAL_FILE), "Files from the recipe's folder: path = file, or a table."),
    key("archive", Map("name", &DOWNLOAD), "Archives from an address, pinned by digest."),
    key(
        "modes",
        Map("path or pattern", &Text),
        "Permission bits, such as `4755`: the only way to keep set-id bits.",
    ),
    key("owners", Map("path or pattern", &Text), "`user:group` of packaged files."),
    key("capabilities", TEXTS, "Files that keep their capabilities, as patterns; no other file does."),
    key("drop", List(&Text), PATTERNS),
    key("users", Map("user name", &USER), "Accounts: a number, or a table."),
    key("groups", Map("group name", &Integer), "Groups and their numbers."),
    key("system", SYSTEM, "What maintainer scripts would have made."),
    key("image", IMAGE, "The image's configuration."),
    key("closure", CLOSURE, "What files need beyond what their headers say, and what they don't need."),
    key(
        "policy",
        POLICY,
        "Exceptions to the contents policy, which also hold in recipes that extend this one.",
    ),
    key("test", List(&TEST), "What the image must do."),
    key("lifecycle", LIFECYCLE, "Who answers for it and until when."),
    key("catalog", CATALOG, "Words for the catalog."),
    key("layers", Integer, "At most how many layers this recipe adds; 4 if not said."),
];

/// What a recipe may hold beside [`AMENDABLE`].
const HEAD: &[Key] = &[
    needed("name", Text, "The image's name."),
    key("extends", Text, "The recipe in the same folder whose layers this one stands on."),
    key("platforms", TEXTS, "`linux/amd64`, `linux/arm64`; both if not said."),
    key("source", Text, "Where the recipe's own source is, for the annotation."),
    key("licenses", Text, "The SPDX expression of the recipe's licence, for the annotation."),
    key(
        "variant",
        Map("variant name", &AMENDMENT),
        "Other images from the same recipe, built as NAME:TAG-VARIANT.",
    ),
    key("platform", Map("platform", &AMENDMENT), "What differs on one platform."),
];

/// Every key of a recipe.
pub fn recipe() -> &'static [Key] {
    static KEYS: std::sync::OnceLock<Vec<Key>> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| [HEAD, AMENDABLE].concat())
}

//! The language of files of decisions: every key, what it takes, what it is for.

use crate::recipe::text::{Key, Kind, key, needed};

const TEXTS: Kind = Kind::List(&Kind::Text);

const CVE: Key = needed("cve", Kind::Text, "The CVE, such as `CVE-2026-102633`.");

const PACKAGES: Key = needed("packages", TEXTS, "The source or binary packages that are spoken of.");

const IMAGES: Key = key("images", TEXTS, "In `all.toml`: the recipes that it is about; all if not said.");

const REASON: Key = needed("reason", Kind::Text, "How that is known.");

const AUTHOR: Key = needed("author", Kind::Text, "Who says so: a name and a mail address.");

const DATE: Key = needed("date", Kind::Date, "Since when, a day.");

const DECISION: Kind = Kind::Table(&[
    CVE,
    PACKAGES,
    IMAGES,
    needed("status", Kind::Text, "`not_affected`, `affected`, `fixed` or `under_investigation`."),
    key("justification", Kind::Text, "Why it is `not_affected`: one of OpenVEX's five words."),
    key("impact", Kind::Text, "Why it is `not_affected`, in words."),
    key("action", Kind::Text, "What to do where it is `affected`."),
    REASON,
    AUTHOR,
    DATE,
    key("expires", Kind::Date, "From when on it counts as none; needed where it silences."),
]);

const COMPONENT: Kind = Kind::Table(&[
    CVE,
    PACKAGES,
    IMAGES,
    key("paths", TEXTS, "The files that it is in, as patterns."),
    key("binaries", TEXTS, "The binary packages that it is in."),
    REASON,
    AUTHOR,
    DATE,
    needed("expires", Kind::Date, "From when on it counts as none."),
]);

/// Every key of a file of decisions.
pub(super) const FILE: &[Key] = &[
    key("decision", Kind::List(&DECISION), "What somebody decided on a CVE."),
    key(
        "component",
        Kind::List(&COMPONENT),
        "Where in a package a CVE is; hardpan looks which images have that.",
    ),
];

//! The codes of problems. The hundreds digit is the exit code; each has a section in `codes.md`,
//! which `hardpan explain` prints (`cargo xtask tidy` holds that).

use std::fmt;

/// The code of one kind of problem, written `HP` and three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// The process's exit code for this kind of problem.
    pub fn exit_code(self) -> u8 {
        u8::try_from(self.0 / 100).expect("codes have three digits")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HP{:03}", self.0)
    }
}

/// All codes, by what they mean.
pub mod codes {
    use super::Code;

    macro_rules! codes {
        ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
            $($(#[$doc])* pub const $name: Code = Code($number);)*
        };
    }

    codes! {
        /// A bug in hardpan.
        INTERNAL = 101;
        /// A file of this machine can't be read or written.
        FILE = 102;
        /// No room on the disk.
        DISK_FULL = 103;
        /// Another hardpan holds what is needed.
        BUSY = 104;
        /// A program that was to sign failed.
        SIGNER = 105;
        /// A service for keyless signing failed, or its answer does not verify.
        KEYLESS = 106;
        /// No OCI runtime is there.
        NO_RUNTIME = 107;
        /// Containers can't be made on this machine.
        NOT_ISOLATED = 108;
        /// A ledger that can't be opened, read or written.
        LEDGER = 140;
        /// Another holds the ledger for too long.
        LEDGER_BUSY = 141;
        /// A file that is no ledger, or a ledger that is damaged.
        LEDGER_CORRUPT = 142;
        /// A ledger of a newer version.
        LEDGER_NEWER = 143;
        /// A clock that goes backwards.
        CLOCK_BACK = 144;
        /// A server of a ledger that can't be logged in to safely.
        LEDGER_LOGIN = 145;
        /// Another patch run is under way.
        PATCH_UNDER_WAY = 150;
        /// Arguments that don't fit together.
        USAGE = 201;
        /// The output path holds something else.
        OUTPUT = 202;
        /// A configuration file or variable is wrong.
        CONFIG = 203;
        /// A key that can't be used.
        BAD_KEY = 204;
        /// A key's password that is wrong or missing.
        PASSWORD = 205;
        /// A key file that is open to other users.
        LOOSE_KEY = 206;
        /// An identity token that is missing, has expired or does not read.
        TOKEN = 207;
        /// A path that an image does not have.
        NOT_IN_IMAGE = 208;
        /// A package without a program, of which no image can be drafted.
        NO_PROGRAM = 209;
        /// A feed of advisories whose kind can't be told.
        UNKNOWN_FEED = 240;
        /// Something that is no event of a ledger.
        BAD_EVENT = 246;
        /// Not TOML.
        SYNTAX = 301;
        /// A key that the language does not have.
        UNKNOWN_KEY = 302;
        /// A value of the wrong type.
        WRONG_TYPE = 303;
        /// A value of the right type that says nothing sensible.
        BAD_VALUE = 304;
        /// A key that must be there is not.
        MISSING_KEY = 305;
        /// A path declared twice.
        DUPLICATE_PATH = 306;
        /// A pattern that matches nothing.
        NO_MATCH = 307;
        /// A package that the archives don't hold.
        UNKNOWN_PACKAGE = 308;
        /// A user or group that nobody declares.
        UNKNOWN_USER = 309;
        /// A chain of `extends` that bites its tail.
        CYCLE = 310;
        /// A recipe that is not there.
        NO_RECIPE = 311;
        /// A variant or amendment that does not fit what it amends.
        AMENDMENT = 312;
        /// A lock that is missing or stale under `--locked`.
        STALE_LOCK = 313;
        /// A lock that can't be read.
        BAD_LOCK = 314;
        /// Dependencies that can't be met.
        UNSATISFIABLE = 315;
        /// Two packages that own one path.
        CONFLICT = 316;
        /// A library or interpreter that nothing provides.
        MISSING_LIBRARY = 317;
        /// A file that a recipe names and its folder lacks.
        NO_FILE = 318;
        /// A library without the version of symbols that another file needs.
        SYMBOL_VERSION = 319;
        /// A package that nothing in the image needs (a warning).
        UNNEEDED = 320;
        /// A file that is not one of certificates to trust.
        BAD_CERTIFICATE = 321;
        /// A file or document of decisions on vulnerabilities that does not read as one.
        BAD_VEX = 340;
        /// A decision about an image that is none of ours.
        VEX_PRODUCT = 341;
        /// A decision that lacks what its status needs, or has what it may not have.
        VEX_RULE = 342;
        /// A status or justification that there is not.
        VEX_WORD = 343;
        /// Dates of a decision that don't go together.
        VEX_DATE = 344;
        /// A decision that has expired.
        VEX_EXPIRED = 345;
        /// A decision on a package or CVE that is gone.
        VEX_GONE = 346;
        /// Decisions that contradict each other.
        VEX_CONFLICT = 347;
        /// Nothing was decided that could be written.
        NO_VEX = 348;
        /// No mirror is known for an archive.
        NO_MIRROR = 401;
        /// No mirror gave what was asked for.
        NOT_FETCHED = 402;
        /// A pinned file that no mirror holds any more.
        PIN_GONE = 403;
        /// Something is needed that is not in the store, and `--offline` forbids to fetch it.
        OFFLINE = 404;
        /// An image that is not there.
        NO_IMAGE = 405;
        /// A registry did not give what was asked for.
        NOT_PULLED = 406;
        /// No snapshot of advisories is there.
        NO_ADVISORIES = 440;
        /// A feed of advisories that could not be had.
        FEED_NOT_HAD = 441;
        /// A package without a changelog that can be read (a warning).
        NO_CHANGELOG = 442;
        /// The snapshot of advisories says nothing of what is scanned.
        NOT_COVERED = 443;
        /// What is to be scanned is not there, or nothing that can be scanned.
        NOT_SCANNABLE = 450;
        /// A release file without a good signature.
        BAD_SIGNATURE = 501;
        /// A release file that is too old.
        EXPIRED = 502;
        /// A release file behind the locked one.
        ROLLBACK = 503;
        /// Bytes whose digest or size is not the pinned one.
        DIGEST_MISMATCH = 504;
        /// An index or release file that does not read as one.
        BAD_INDEX = 505;
        /// A package that does not read as one, or is hostile.
        BAD_PACKAGE = 506;
        /// An archive that does not read as one, or is hostile.
        BAD_ARCHIVE = 507;
        /// A blob of the store or of an image whose bytes changed.
        CORRUPT = 508;
        /// An image that does not read as one.
        BAD_IMAGE = 509;
        /// A bundle, key list or root of trust that does not read as one.
        BAD_BUNDLE = 510;
        /// A bundle that is not signed by a key that is trusted.
        NOT_SIGNED = 511;
        /// A feed of advisories that does not read as one.
        BAD_FEED = 540;
        /// A feed of advisories that is larger than any feed.
        FEED_TOO_LARGE = 541;
        /// A feed of advisories in a form that this hardpan does not know.
        UNKNOWN_FORM = 542;
        /// A feed of advisories that is older than what is there.
        OLDER_FEED = 543;
        /// A record of a feed that does not read as one (a warning).
        BAD_RECORD = 544;
        /// A snapshot of advisories that does not read as one.
        BAD_SNAPSHOT = 545;
        /// An SBOM or a list of packages that does not read as one.
        BAD_SUBJECT = 560;
        /// What is to be scanned is not Debian, or lists no packages.
        NOT_DEBIAN = 561;
        /// What is to be scanned does not say which release of Debian it is.
        NO_RELEASE = 562;
        /// An image is not what it should be.
        NOT_VERIFIED = 601;
        /// A statement that must be attached to an image is not, or nobody who is trusted signed it.
        NO_STATEMENT = 602;
        /// A statement that is about something else than what it is attached to.
        WRONG_SUBJECT = 603;
        /// An SBOM that does not list what is in the image.
        NOT_AS_LISTED = 604;
        /// Provenance that does not fit the image or its own lock.
        BAD_PROVENANCE = 605;
        /// A tag that does not name the image that it should.
        TAG_MOVED = 606;
        /// An image that a policy does not allow.
        POLICY = 607;
        /// An image that does not build again to the same bytes.
        NOT_REPRODUCED = 608;
        /// An image that holds what the contents policy forbids, without an exception.
        CONTENTS = 610;
        /// An image fails its own tests.
        TEST_FAILED = 611;
        /// An image of which nobody says what it must do.
        NO_TESTS = 612;
        /// Findings that were not to be there.
        FINDINGS = 640;
        /// Advisories that are older than is allowed.
        ADVISORIES_TOO_OLD = 641;
        /// Advisories that are older than a week (a warning).
        ADVISORIES_OLD = 642;
        /// Advisories that know nothing of what is open (a warning).
        DERIVED_ONLY = 643;
        /// Images that a patch run did not bring out.
        KEPT_BACK = 650;
        /// A pin that would go back.
        DOWNGRADE = 651;
        /// A registry refused who is publishing.
        DENIED = 701;
        /// A registry failed while an image was published.
        NOT_PUBLISHED = 702;
        /// A registry does not give back what it was given.
        NOT_AS_PUSHED = 703;
        /// A moving tag points to a newer image.
        NEWER_THERE = 704;
    }
}

/// The pages, one section a code.
const PAGES: &str = include_str!("codes.md");

/// The page of a code, by its text (`HP307`, `hp307`, `307`); `None` for one that is not.
pub fn explain(code: &str) -> Option<&'static str> {
    let upper = code.to_ascii_uppercase();
    let digits = upper.strip_prefix("HP").unwrap_or(&upper);
    let start = PAGES.find(&format!("\n## HP{digits} ")).map(|at| at + 1)?;
    let page = &PAGES[start..];
    let end = page[2..].find("\n## ").map_or(page.len(), |at| at + 3);
    Some(page[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hundreds_are_the_exit_code() {
        assert_eq!(codes::NO_MATCH.exit_code(), 3);
        assert_eq!(codes::DIGEST_MISMATCH.exit_code(), 5);
    }

    #[test]
    fn a_page_is_found_by_any_spelling_of_its_code() {
        let page = explain("HP307").expect("there");
        assert!(page.starts_with("## HP307 "));
        assert!(!page.contains("HP308"));
        assert_eq!(explain("hp307"), Some(page));
        assert_eq!(explain("307"), Some(page));
        assert_eq!(explain("HP999"), None);
        assert_eq!(explain(""), None);
    }
}

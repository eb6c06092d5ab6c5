//! What is timed, in turns.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hardpan::canon::Compression;

use super::catalog::Folder;
use super::feed::RECORDS;
use super::ground::{CHANGED, Ground, ROOTS, SUITE, remove, size};
use super::measure::measure;
use super::table::{Row, table};
use crate::process::{find, program};

/// How often everything is run, unless the command line says so.
const RUNS: u32 = 7;

/// Times everything and prints the table.
pub fn run(repository: &Path, arguments: &[&str]) -> Result<(), String> {
    let runs = match arguments {
        [] => RUNS,
        ["--runs", number] => number.parse().ok().filter(|runs| *runs > 0).ok_or("--runs takes a number")?,
        _ => return Err("usage: cargo xtask bench [--runs N]".to_owned()),
    };
    let peer = ["mmdebstrap", "dpkg-scanpackages"].iter().all(|program| find(program).is_some());
    let contest = Contest { ground: Ground::prepare(repository)?, peer };
    let mut rows = Rows::default();
    for number in 1..=runs {
        eprintln!("round {number} of {runs}");
        contest.round(&mut rows)?;
    }
    println!("{}\n{}", table(&rows.list(contest.peer)), contest.notes(runs)?);
    println!(
        "- Evidence adds {:.1} % to a cold build; with an encrypted key {:.1} %.",
        rows.cold.over(&rows.bare),
        rows.keyed.over(&rows.bare)
    );
    Ok(())
}

struct Contest {
    ground: Ground,
    /// Whether the peer is installed.
    peer: bool,
}

struct Rows {
    floor: Row,
    bare: Row,
    cold: Row,
    keyed: Row,
    unchanged: Row,
    changed: Row,
    scanned_first: Row,
    scanned: Row,
    one: Row,
    standing: Row,
    repeated: Row,
    up_to_date: Row,
    extract: Row,
    gzip: Row,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            floor: Row::new("floor: decompress, hash, compress"),
            bare: Row::new("hardpan, cold, without evidence"),
            cold: Row::new("hardpan, cold"),
            keyed: Row::new("hardpan, cold, an encrypted key"),
            unchanged: Row::new("hardpan, unchanged"),
            changed: Row::new("hardpan, one package changed"),
            scanned_first: Row::new("hardpan scan, an image from elsewhere, first time"),
            scanned: Row::new("hardpan scan, an image built here or seen before"),
            one: Row::new("build --all: one image, cold"),
            standing: Row::new("… and 12 that stand on it"),
            up_to_date: Row::new("… again, all up to date"),
            repeated: Row::new("12 that each name all packages"),
            extract: Row::new("mmdebstrap extract, uncompressed"),
            gzip: Row::new("… and `gzip -6` of its tar"),
        }
    }
}

impl Rows {
    fn list(&self, peer: bool) -> Vec<&Row> {
        let mut rows = vec![&self.floor, &self.bare, &self.cold, &self.keyed, &self.unchanged, &self.changed];
        rows.extend([&self.scanned_first, &self.scanned]);
        rows.extend([&self.one, &self.standing, &self.up_to_date, &self.repeated]);
        if peer {
            rows.extend([&self.extract, &self.gzip]);
        }
        rows
    }
}

impl Contest {
    fn round(&self, rows: &mut Rows) -> Result<(), String> {
        self.ground.forget_all()?;
        self.hardpan(&mut rows.bare, &["--no-attest".as_ref()])?;
        self.ground.forget_all()?;
        self.hardpan(&mut rows.keyed, &["--key".as_ref(), self.ground.key().as_os_str()])?;
        self.ground.forget_all()?;
        self.hardpan(&mut rows.cold, &[])?;
        self.hardpan(&mut rows.unchanged, &[])?;
        self.ground.forget_scans()?;
        self.time(&mut rows.scanned_first, &mut self.ground.scan())?;
        self.time(&mut rows.scanned, &mut self.ground.scan())?;
        self.ground.write_recipe(true)?;
        self.ground.forget_changed()?;
        self.hardpan(&mut rows.changed, &[])?;
        self.ground.write_recipe(false)?;
        self.catalogs(rows)?;
        self.floor(&mut rows.floor)?;
        if self.peer { self.mmdebstrap(rows) } else { Ok(()) }
    }

    fn hardpan(&self, row: &mut Row, more: &[&OsStr]) -> Result<(), String> {
        self.time(row, self.ground.build(true).args(more))?;
        row.size = Some(self.ground.image_size()?);
        Ok(())
    }

    fn catalogs(&self, rows: &mut Rows) -> Result<(), String> {
        for (form, row) in [
            (Folder::One, &mut rows.one),
            (Folder::Standing, &mut rows.standing),
            (Folder::Repeated, &mut rows.repeated),
        ] {
            self.ground.forget_all()?;
            self.time(row, &mut self.ground.build_catalog(form))?;
            if form == Folder::Standing {
                self.time(&mut rows.up_to_date, &mut self.ground.build_catalog(form))?;
            }
        }
        Ok(())
    }

    fn floor(&self, row: &mut Row) -> Result<(), String> {
        let said = self.ground.scratch().join("floor");
        let out = std::fs::File::create(&said).map_err(|error| format!("`{}`: {error}", said.display()))?;
        let here = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let log = self.log();
        row.costs.push(measure(Command::new(here).arg("floor").arg(self.ground.debs()).stdout(out), &log)?);
        row.size = self.floor_sizes()?.get(1).copied();
        Ok(())
    }

    /// Unpacked and packed, as the floor said.
    fn floor_sizes(&self) -> Result<Vec<u64>, String> {
        let said = self.ground.scratch().join("floor");
        let text =
            std::fs::read_to_string(&said).map_err(|error| format!("`{}`: {error}", said.display()))?;
        Ok(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
    }

    fn mmdebstrap(&self, rows: &mut Rows) -> Result<(), String> {
        let tar = self.ground.scratch().join("peer.tar");
        remove(&tar)?;
        let mut extract = program("mmdebstrap");
        extract.args(["--quiet", "--variant=extract"]);
        extract.arg(format!("--include={}", self.ground.names().join(","))).arg(SUITE).arg(&tar);
        // `copy:`, as `file:` can't be seen from inside its folder.
        extract.arg(format!("deb [trusted=yes] copy:{} ./", self.ground.debs().display()));
        self.time(&mut rows.extract, extract.env("TMPDIR", self.ground.scratch()))?;
        rows.extract.size = Some(size(&tar)?);
        let packed = tar.with_extension("tar.gz");
        remove(&packed)?;
        self.time(&mut rows.gzip, program("gzip").args(["-6", "--no-name", "--keep"]).arg(&tar))?;
        rows.gzip.size = Some(size(&packed)?);
        Ok(())
    }

    fn time(&self, row: &mut Row, command: &mut Command) -> Result<(), String> {
        row.costs.push(measure(command.stdout(Stdio::null()), &self.log())?);
        Ok(())
    }

    fn log(&self) -> PathBuf {
        self.ground.scratch().join("log")
    }

    /// What the table's words mean, precisely.
    fn notes(&self, runs: u32) -> Result<String, String> {
        let packages = &self.ground.packages;
        let debs: u64 = packages.iter().map(|(_, package)| package.size).sum();
        let unpacked = self.floor_sizes()?.first().copied().unwrap_or(0);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let (package, file) = CHANGED;
        let peer = if self.peer {
            ""
        } else {
            "- mmdebstrap or dpkg-scanpackages is not installed, so the peer is left out.\n"
        };
        Ok(format!(
            "- Medians (least–most) of {runs} runs in turns, {processors} processors, all files in memory.\n\
             - {} packages, all that {} need: {debs} bytes of .debs, {unpacked} bytes of tar. Layers: {}.\n\
             - Floor: each package's data decompressed, hashed, compressed as hardpan does, hashed again, on all \
             processors; nothing is selected, sorted or written.\n\
             - Cold: the store holds the .debs, nothing computed from them; there is no image.\n\
             - Evidence: SBOMs in two formats, provenance and signature of index and platform, by the development key; \
             or by a key file whose password takes its time (scrypt). Digests that only SBOMs need (SHA-1 of files, SHA-512 \
             of packages) are taken in all rows, where packages are decoded.\n\
             - Unchanged: the same command again.\n\
             - One package changed: all else is cached; what was computed of `{package}` is deleted, and the recipe \
             leaves out its `{file}`.\n\
             - Scans: of that image with {RECORDS} records of advisories, process start and all. One that was not seen before is read \
             and its digests compared; what was found in a layer is kept by its digest.\n\
             - `build --all`: the same packages in one image; in that and 12 images that stand on it, which is what a catalog is; \
             and in 12 images that share no recipe, so that each packs its own layers of what was fetched and decoded once.\n\
             - Processor time is counted in hundredths of a second. Memory is the largest of a program's processes.\n\
             {peer}",
            packages.len(),
            ROOTS.join(", "),
            Compression::Gzip.backend(),
        ))
    }
}

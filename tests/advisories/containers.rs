//! What feeds come in: files, folders, zips, tars, addresses; whole, broken and hostile.

use std::io::Write as _;

use super::support::{Fault, Sandbox, Server, Tarball};
use super::{OSV, current, osv, said, version, zip};

const WHEN: &str = "2026-11-01T00:00:00Z";

fn two() -> [(String, String); 2] {
    [("DEBIAN-CVE-2026-102633", "expat"), ("DEBIAN-CVE-2025-15467", "openssl")]
        .map(|(id, package)| (format!("{id}.json"), osv(id, &id["DEBIAN-".len()..], package, "2.0-1", WHEN)))
}

fn members(records: &[(String, String)]) -> Vec<(&str, &[u8])> {
    records.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect()
}

#[test]
fn files_folders_zips_and_tars_say_the_same() {
    let records = two();
    let mut digests = Vec::new();
    for form in ["zip", "tar", "tar.gz", "folder", "files"] {
        let sandbox = Sandbox::new();
        let mut tar = Tarball::new();
        for (name, text) in &records {
            sandbox.write(format!("all/Debian/{name}"), text);
            tar = tar.file(name, text, 0o644);
        }
        let tar = tar.build();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).expect("in memory");
        match form {
            "zip" => drop(sandbox.write("feed", zip(&members(&records)))),
            "tar" => drop(sandbox.write("feed", tar)),
            "tar.gz" => drop(sandbox.write("feed", gzip.finish().expect("in memory"))),
            _ => {}
        }
        let paths: Vec<String> = match form {
            "folder" => vec!["all".to_owned()],
            "files" => records.iter().map(|(name, _)| format!("all/Debian/{name}")).collect(),
            _ => vec!["feed".to_owned()],
        };
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        sandbox.hardpan(&[&["advisories", "import"], &paths[..]].concat()).ok();
        let snapshot = current(&sandbox);
        assert_eq!(
            said(&snapshot, "13", "expat", "CVE-2026-102633").expect(form).affected.fixed,
            Some(version("2.0-1"))
        );
        assert_eq!((snapshot.head().feeds[0].records, snapshot.head().packages), (2, 2), "{form}");
        sandbox.hardpan(&["advisories", "export", "--osv", "-o", "out"]).ok();
        digests.push(sandbox.read("out"));
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[test]
fn debian_s_sample_is_read_whole() {
    let sandbox = Sandbox::new();
    sandbox.write("osv.tar.gz", OSV);
    sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    let snapshot = current(&sandbox);
    assert_eq!(snapshot.head().vulnerabilities, 518);
    let fixed = said(&snapshot, "12", "expat", "CVE-2026-102633").expect("named").affected;
    assert!(fixed.touches(&version("2.5.0-1+deb12u2")) && !fixed.touches(&version("2.5.0-1+deb12u5")));
}

#[test]
fn a_member_that_is_broken_is_named_and_the_rest_serves() {
    let sandbox = Sandbox::new();
    let records = two();
    let mut all = members(&records);
    all.push(("CVE-0.json", b"{ not json"));
    all.push(("CVE-1.json", br#"{"schema_version":"1.7.3","id":"X-1","modified":"once"}"#));
    all.push(("notes.txt", b"passed over"));
    sandbox.write("all.zip", zip(&all));
    let out = sandbox.hardpan(&["advisories", "import", "all.zip"]).ok();
    assert!(out.stderr.contains("the record CVE-0.json of `all.zip` is refused"), "{}", out.stderr);
    assert!(out.stderr.contains("the record X-1 of `all.zip` is refused"), "{}", out.stderr);
    assert!(out.stderr.contains("2 records, 2 refused"), "{}", out.stderr);
}

#[test]
fn a_zip_that_is_cut_short_is_refused_wherever_it_is_cut() {
    let sandbox = Sandbox::new();
    let whole = zip(&members(&two()));
    for cut in [10, whole.len() / 2, whole.len() - 1] {
        sandbox.write("all.zip", &whole[..cut]);
        sandbox.hardpan(&["advisories", "import", "all.zip"]).exits(5).says("HP540");
    }
    sandbox.hardpan(&["advisories", "list"]).exits(4).says("HP440");
}

#[test]
fn a_tar_that_is_cut_short_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("osv.tar.gz", &OSV[..OSV.len() - 9]);
    sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).exits(5).says("HP540");
}

#[test]
fn a_wrong_check_sum_is_an_error_and_no_record_less() {
    let sandbox = Sandbox::new();
    let mut bytes = zip(&members(&two()));
    // The CRC stands in the first entry of the central directory.
    let at = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    bytes[at + 16] ^= 1;
    sandbox.write("all.zip", bytes);
    sandbox.hardpan(&["advisories", "import", "all.zip"]).exits(5).says("HP540");
}

#[test]
fn members_with_names_that_climb_are_refused() {
    for name in ["../../x.json", "/etc/x.json", "a/../../x.json"] {
        let sandbox = Sandbox::new();
        sandbox.write("all.zip", zip(&[(name, b"{}")]));
        sandbox.hardpan(&["advisories", "import", "all.zip"]).exits(5).says("leads out of the archive");
    }
}

#[test]
fn an_encrypted_member_is_an_error_in_words() {
    let sandbox = Sandbox::new();
    let mut bytes = zip(&members(&two()));
    // Bit 0 of the flags, in the local header and in the directory.
    bytes[6] |= 1;
    let at = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    bytes[at + 8] |= 1;
    sandbox.write("all.zip", bytes);
    sandbox.hardpan(&["advisories", "import", "all.zip"]).exits(5).says("encrypted");
}

#[test]
fn members_that_lie_over_each_other_are_refused() {
    let sandbox = Sandbox::new();
    let mut bytes = zip(&[("a.json", b"{\"aaaaaaaa\":1}"), ("b.json", b"{\"aaaaaaaa\":1}")]);
    // Both entries of the directory point to the first member.
    let places: Vec<usize> = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"PK\x01\x02")
        .map(|(at, _)| at)
        .collect();
    bytes[places[1] + 42..places[1] + 46].copy_from_slice(&[0; 4]);
    sandbox.write("all.zip", bytes);
    sandbox.hardpan(&["advisories", "import", "all.zip"]).exits(5).says("HP540");
}

#[test]
fn a_bomb_is_refused_before_it_fills_anything() {
    let sandbox = Sandbox::new();
    let zeros = vec![b' '; 66 << 20];
    sandbox.write("all.zip", zip(&[("a.json", &zeros)]));
    sandbox.hardpan(&["advisories", "import", "all.zip"]).exits(5).says("HP541");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(br#"{"a":{"CVE-2026-1000":{"releases":{},"description":""#).expect("in memory");
    gzip.write_all(&zeros).expect("in memory");
    sandbox.write("tracker.json.gz", gzip.finish().expect("in memory"));
    sandbox.hardpan(&["advisories", "import", "tracker.json.gz", "--kind=tracker"]).exits(5).says("HP541");
}

#[test]
fn what_is_no_feed_is_said_to_be_none() {
    let sandbox = Sandbox::new();
    sandbox.write("page.html", "<!DOCTYPE html><title>Not found</title>");
    sandbox.hardpan(&["advisories", "import", "page.html"]).exits(2).says("HP240");
    sandbox.hardpan(&["advisories", "import", "page.html", "--kind=osv"]).exits(5).says("HP540");
    sandbox.hardpan(&["advisories", "import", "not-there"]).exits(4).says("HP441");
    sandbox.write("empty/readme.txt", "");
    sandbox.hardpan(&["advisories", "import", "empty"]).exits(5).says("HP540");
    sandbox.write("all.zip", zip(&[("all.zip", b"PK")]));
    sandbox.hardpan(&["advisories", "import", "all.zip"]).exits(5).says("archive inside of an archive");
}

#[test]
fn a_feed_at_an_address_is_fetched_under_the_same_rules() {
    let sandbox = Sandbox::new();
    sandbox.write("www/all.zip", zip(&members(&two())));
    let server = Server::start(sandbox.path("www"));
    let address = format!("{}/all.zip", server.url());
    sandbox.hardpan(&["advisories", "import", &address]).ok();
    assert_eq!(current(&sandbox).head().vulnerabilities, 2);
    sandbox.hardpan(&["advisories", "import", &format!("{}/none.zip", server.url())]).exits(4).says("HP441");
    server.fault("/all.zip", Fault::Lie(100));
    sandbox.hardpan(&["advisories", "import", &address]).exits(4).says("HP441");
    sandbox.hardpan(&["advisories", "import", "ftp://127.0.0.1/all.zip"]).exits(2);
}

#[test]
fn the_same_bytes_by_address_and_from_disk_have_the_same_digest() {
    let sandbox = Sandbox::new();
    let bytes = zip(&members(&two()));
    sandbox.write("www/all.zip", &bytes);
    let server = Server::start(sandbox.path("www"));
    let inputs = |from: &str| {
        sandbox.hardpan(&["advisories", "import", "--replace", from]).ok();
        current(&sandbox).head().feeds[0].inputs.clone()
    };
    let fetched = inputs(&format!("{}/all.zip", server.url()));
    assert_eq!(fetched, [hardpan::ident::Sha256::of(&bytes)]);
    assert_eq!(fetched, inputs("www/all.zip"));
}

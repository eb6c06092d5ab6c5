//! The floor: what no builder can leave out for these packages and this compression. Each package is
//! decompressed once, its files' tar is hashed (a layer's diff id) and compressed, and the result is
//! hashed (its digest); nothing is selected, sorted, written or signed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use hardpan::canon::{BLOCK, Compression};
use libdeflater::{CompressionLvl, Compressor};
use sha2::{Digest as _, Sha256};

/// Does the floor's work for the packages in a folder, and prints the bytes of both kinds: unpacked
/// and packed.
pub fn floor(folder: &Path) -> Result<(), String> {
    let packages = largest_first(folder)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, unpacked, packed) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let work = || -> Result<(), String> {
            while let Some(package) = packages.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (read, written) = repack(package)?;
                unpacked.fetch_add(read, Ordering::Relaxed);
                packed.fetch_add(written, Ordering::Relaxed);
            }
            Ok(())
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    println!("{} {}", unpacked.into_inner(), packed.into_inner());
    Ok(())
}

/// A large package that is begun last would keep one thread busy alone.
fn largest_first(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("`{}` can't be listed: {error}", folder.display());
    let mut packages = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().extension().is_some_and(|end| end == "deb") {
            packages.push((std::cmp::Reverse(entry.metadata().map_err(failed)?.len()), entry.path()));
        }
    }
    packages.sort();
    Ok(packages.into_iter().map(|(_, path)| path).collect())
}

fn repack(package: &Path) -> Result<(u64, u64), String> {
    let name = package.display();
    let bytes = std::fs::read(package).map_err(|error| format!("`{name}` can't be read: {error}"))?;
    let data = member(&bytes, "data.tar.xz").ok_or_else(|| format!("`{name}` has no data.tar.xz"))?;
    let mut tar = liblzma::read::XzDecoder::new_multi_decoder(data);
    let mut compressor = Compressor::new(level(&Compression::Gzip.backend())?);
    let mut out = vec![0; compressor.gzip_compress_bound(BLOCK)];
    let mut block = Vec::with_capacity(BLOCK);
    let (mut diff_id, mut digest) = (Sha256::new(), Sha256::new());
    let (mut unpacked, mut packed) = (0, 0);
    loop {
        block.clear();
        let read = (&mut tar).take(BLOCK as u64).read_to_end(&mut block);
        if read.map_err(|error| format!("`{name}`: {error}"))? == 0 {
            break;
        }
        diff_id.update(&block);
        let length =
            compressor.gzip_compress(&block, &mut out).map_err(|error| format!("`{name}`: {error}"))?;
        digest.update(&out[..length]);
        unpacked += block.len() as u64;
        packed += length as u64;
    }
    // Or the compiler could leave the hashes out, as nobody asks for them.
    std::hint::black_box((diff_id.finalize(), digest.finalize()));
    Ok((unpacked, packed))
}

/// The level in hardpan's own words about its backend, so that the two can't drift apart.
fn level(backend: &str) -> Result<CompressionLvl, String> {
    let word =
        backend.split_once(" level ").map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default());
    let level = word.and_then(|word| CompressionLvl::new(word.parse().ok()?).ok());
    level.ok_or_else(|| format!("no level of libdeflate in `{backend}`"))
}

/// A member of an ar archive (deb(5), ar(5)).
fn member<'a>(archive: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = archive.strip_prefix(b"!<arch>\n")?;
    loop {
        let (header, body) = rest.split_at_checked(60)?;
        let field = |range| std::str::from_utf8(&header[range]).ok().map(str::trim_ascii);
        let size: usize = field(48..58)?.parse().ok()?;
        if field(0..16)?.trim_end_matches('/') == name {
            return body.get(..size);
        }
        // Members begin at even places.
        rest = body.get(size + size % 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_hardpans_own() {
        assert!(level(&Compression::Gzip.backend()).is_ok());
        assert!(level("zstd of some kind").is_err());
    }

    #[test]
    fn a_member_is_found_by_its_name() {
        let header =
            |name: &str, size: usize| format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644);
        let archive =
            format!("!<arch>\n{}2.00\n\n{}abc", header("debian-binary", 5), header("data.tar.xz/", 3));
        assert_eq!(member(archive.as_bytes(), "data.tar.xz"), Some(&b"abc"[..]));
        assert_eq!(member(archive.as_bytes(), "control.tar.xz"), None);
        assert_eq!(member(&archive.as_bytes()[..archive.len() - 1], "data.tar.xz"), None);
    }
}

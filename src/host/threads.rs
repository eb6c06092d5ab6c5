//! Work side by side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock};

/// Does `work` on all items, at most `jobs` at once, begun in their order; gives the results in
/// their order. Put the longest first.
pub fn side_by_side<T: Sync, R: Send>(jobs: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    *results[at].lock().expect("no worker panics") = Some(result);
                }
            });
        }
    });
    results
        .into_iter()
        .map(|result| result.into_inner().expect("no worker panics").expect("each is done"))
        .collect()
}

/// Does `work` on the items at places `0..after.len()`, at most `jobs` at once, each when those that
/// `after` names for it are done; `work` is given their results. Gives all results in the order of the
/// places. An item may only come after ones at lower places, so that no circle is possible.
pub fn in_order<R: Send + Sync>(
    jobs: usize,
    after: &[Vec<usize>],
    work: impl Fn(usize, &[&R]) -> R + Sync,
) -> Vec<R> {
    let results: Vec<OnceLock<R>> = after.iter().map(|_| OnceLock::new()).collect();
    let begun = Mutex::new(vec![false; after.len()]);
    let finished = Condvar::new();
    let ready = |at: usize| after[at].iter().all(|before| *before < at && results[*before].get().is_some());
    // The first that can begin; waits while others are under way that may make one ready.
    let next = || {
        let mut begun = begun.lock().expect("no worker panics");
        loop {
            if let Some(at) = (0..after.len()).find(|at| !begun[*at] && ready(*at)) {
                begun[at] = true;
                return Some(at);
            }
            if begun.iter().all(|begun| *begun) {
                return None;
            }
            begun = finished.wait(begun).expect("no worker panics");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, after.len().max(1)) {
            scope.spawn(|| {
                while let Some(at) = next() {
                    let before: Vec<&R> =
                        after[at].iter().filter_map(|before| results[*before].get()).collect();
                    let result = work(at, &before);
                    // Under the lock, so that nobody who just found nothing ready misses it.
                    let _begun = begun.lock().expect("no worker panics");
                    let _ = results[at].set(result);
                    finished.notify_all();
                }
            });
        }
    });
    results.into_iter().map(|result| result.into_inner().expect("each is done")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_begins_when_those_before_it_are_done_and_knows_what_came_of_them() {
        let after = vec![vec![], vec![0], vec![0], vec![1, 2], vec![]];
        for jobs in [1, 2, 8] {
            let depths = in_order(jobs, &after, |_, before: &[&usize]| {
                before.iter().map(|depth| **depth + 1).max().unwrap_or(0)
            });
            assert_eq!(depths, [0, 1, 1, 2, 0]);
        }
    }
}

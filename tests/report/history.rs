//! What events add up to.

use hardpan::advisory::Level;
use hardpan::ident::Age;
use hardpan::ledger::{
    Event, Exposure, FixSource, History, Measures, Standing, State, Why, of_exposure, standing,
};
use hardpan::verify::Targets;

use super::made::{Of, at, digest, image};

const CVE: &str = "CVE-2026-123456";
const PYTHON: Of = Of("python");

fn exposures(events: &[Event]) -> Vec<Exposure> {
    History::of(events).exposures().map(|(_, exposure)| exposure.clone()).collect()
}

fn one(events: &[Event]) -> Exposure {
    let mut all = exposures(events);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

const HOUR: i64 = 3_600;

#[test]
fn an_exposure_ends_when_the_image_without_it_is_published_and_not_before() {
    let events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    let (built, published) = events.split_at(4);
    let open = one(built);
    assert_eq!((open.state(), open.after), (State::Open, Some(digest('b'))));
    let fixed = one(&[built, published].concat());
    assert_eq!(fixed.state(), State::Fixed);
    assert_eq!((fixed.before, fixed.after), (Some(digest('a')), Some(digest('b'))));
    assert_eq!((fixed.rebuilt, fixed.published), (Some(at("07T12")), Some(at("07T12"))));
    let measures = Measures { to_remediate: Some(36 * HOUR), exposed: Some((6 * 24 + 12) * HOUR) };
    assert_eq!(of_exposure(&fixed), measures);
}

#[test]
fn the_same_event_again_adds_nothing_in_any_number() {
    let events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    let mut history = History::of(&events);
    let once = history.clone();
    for _ in 0..3 {
        for event in &events {
            let later = event.clone().moved_to(at("20T00"));
            assert!(!history.apply(event), "{event:?}");
            assert!(!history.apply(&later), "{later:?}");
        }
    }
    assert_eq!(history, once);
}

#[test]
fn a_fix_counts_from_the_release_file_even_if_others_say_earlier() {
    let mut events = vec![PYTHON.detected("05T00", 'a', CVE, Level::High)];
    for (available, known_by, counts) in [
        ("06T05", FixSource::Observed, "06T05"),
        ("06T04", FixSource::Observed, "06T04"),
        ("06T00", FixSource::Advisory, "06T00"),
        ("06T03", FixSource::Observed, "06T00"),
        ("06T02", FixSource::ReleaseFile, "06T02"),
        ("06T01", FixSource::ReleaseFile, "06T01"),
        ("05T00", FixSource::Advisory, "06T01"),
        ("06T09", FixSource::ReleaseFile, "06T01"),
    ] {
        events.push(PYTHON.fix("06T10", CVE, available, known_by));
        assert_eq!(one(&events).fix.map(|fix| fix.available), Some(at(counts)), "{available} {known_by}");
    }
}

#[test]
fn a_fix_that_is_known_before_the_image_is_looked_at_counts() {
    let fix = PYTHON.fix("02T00", CVE, "02T00", FixSource::ReleaseFile);
    let found = PYTHON.detected("05T00", 'a', CVE, Level::High);
    assert_eq!(one(&[fix, found]).fix.map(|fix| fix.available), Some(at("02T00")));
}

#[test]
fn severity_is_the_first_that_is_known() {
    let unknown = PYTHON.detected("05T00", 'a', CVE, Level::Unknown);
    let high = PYTHON.detected("06T00", 'a', CVE, Level::High);
    let low = PYTHON.detected("07T00", 'a', CVE, Level::Low);
    assert_eq!(one(std::slice::from_ref(&unknown)).severity, Level::Unknown);
    let known = one(&[unknown, high, low]);
    assert_eq!((known.severity, known.detected), (Level::High, at("05T00")));
    assert_eq!(known.severity_source.as_deref(), Some("cve5"));
}

#[test]
fn every_digest_that_was_touched_is_kept_also_an_old_one_that_is_scanned_late() {
    let mut events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    events.insert(1, PYTHON.published("05T00", 'z', &["3.13"]));
    // An older image still has what the newer one has not: that is no new exposure.
    events.push(PYTHON.detected("08T00", 'z', CVE, Level::High));
    let exposure = one(&events);
    assert_eq!((exposure.state(), exposure.digests), (State::Fixed, vec![digest('a'), digest('z')]));
}

#[test]
fn what_comes_back_with_a_newer_digest_is_a_further_exposure() {
    let mut events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    events.push(PYTHON.detected("10T00", 'c', CVE, Level::Critical));
    let all = exposures(&events);
    assert_eq!(all.len(), 2);
    assert_eq!((all[1].state(), all[1].again, all[1].severity), (State::Open, true, Level::Critical));
    assert_eq!(all[0].published, Some(at("07T12")));
}

#[test]
fn a_tag_that_is_moved_back_opens_the_exposure_again_and_counts_from_then() {
    let mut events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    events.insert(0, PYTHON.published("04T00", 'a', &["3.13"]));
    events.extend([
        PYTHON.published("10T00", 'a', &["3.13"]),
        PYTHON.detected("10T01", 'a', CVE, Level::High),
        PYTHON.fix("10T01", CVE, "06T00", FixSource::ReleaseFile),
        PYTHON.fixed("10T02", CVE, 'a', 'b'),
    ]);
    assert_eq!(exposures(&events)[1].state(), State::Open);
    events.push(PYTHON.published("10T03", 'b', &["3.13"]));
    let again = exposures(&events).remove(1);
    assert_eq!((again.again, again.published), (true, Some(at("10T03"))));
    assert_eq!(of_exposure(&again).to_remediate, Some(2 * HOUR));
}

#[test]
fn what_is_found_again_in_a_version_from_before_its_fix_has_that_fix_from_then_on() {
    let mut events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    events.insert(0, PYTHON.published("04T00", 'a', &["3.13"]));
    events
        .extend([PYTHON.published("10T00", 'a', &["3.13"]), PYTHON.detected("10T01", 'a', CVE, Level::High)]);
    let again = exposures(&events).remove(1);
    assert!(again.fix.is_some(), "nobody says it once more, and it is known all the same");
    let week = Targets::default();
    assert_eq!(standing(&again, &week, at("10T02")), Standing::InTime);
    assert_eq!(standing(&again, &week, at("20T02")), Standing::Overdue);
    // A fix that did not last is none of what is there now.
    let Some(Event::Detected(found)) = events.last_mut() else { unreachable!() };
    found.version = "9:1".to_owned();
    assert_eq!(exposures(&events).remove(1).fix, None);
}

#[test]
fn what_touches_an_image_no_more_without_a_fix_is_gone_and_may_come_back() {
    let found = PYTHON.detected("05T00", 'a', CVE, Level::High);
    let gone = PYTHON.gone("06T00", CVE, Why::Decided);
    assert_eq!(one(&[found.clone(), gone.clone()]).gone, Some((at("06T00"), Why::Decided)));
    // A decision has run out: the same digest has it again.
    let again = PYTHON.detected("09T00", 'a', CVE, Level::High);
    let all = exposures(&[found, gone, again]);
    assert_eq!((all[0].state(), all[1].state()), (State::Gone, State::Open));
}

#[test]
fn what_was_fixed_without_being_seen_before_is_not_lost() {
    let events = [PYTHON.fixed("07T00", CVE, 'a', 'b'), PYTHON.published("07T01", 'b', &["3.13"])];
    let exposure = one(&events);
    assert_eq!((exposure.state(), exposure.severity), (State::Fixed, Level::Unknown));
    assert_eq!(exposure.digests, [digest('a')]);
}

#[test]
fn a_build_that_never_came_out_gives_way_to_the_next() {
    let mut events = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    events.truncate(4);
    events.extend([
        PYTHON.built("08T00", 'c'),
        PYTHON.fixed("08T00", CVE, 'a', 'c'),
        PYTHON.published("08T01", 'c', &["3.13"]),
    ]);
    let exposure = one(&events);
    assert_eq!((exposure.after, exposure.published), (Some(digest('c')), Some(at("08T01"))));
    assert_eq!(exposure.rebuilt, Some(at("08T00")));
}

#[test]
fn images_and_variants_do_not_mix() {
    let plain = PYTHON.whole(CVE, Level::High, "06T00", "07T12");
    let debug = Of("python+debug").detected("05T00", 'd', CVE, Level::High);
    let history = History::of(plain.iter().chain([&debug]));
    let state = |name: &str| {
        let mut all = history.images[&image(name)].exposures();
        all.next().map(Exposure::state)
    };
    assert_eq!((state("python"), state("python+debug")), (Some(State::Fixed), Some(State::Open)));
}

#[test]
fn times_are_never_below_zero() {
    // Published before it was public, and before the release file's date.
    let mut events = PYTHON.whole(CVE, Level::High, "09T00", "07T12");
    let Event::Detected(found) = &mut events[0] else { unreachable!() };
    found.public = Some(at("20T00"));
    let measures = Measures { to_remediate: Some(0), exposed: Some(0) };
    assert_eq!(of_exposure(&one(&events)), measures);
}

#[test]
fn a_target_is_met_to_the_second_and_broken_by_the_next() {
    let targets = Targets { critical: Age(24 * HOUR), ..Targets::default() };
    let now = at("20T00");
    let stand = |severity, available, published| {
        standing(&one(&PYTHON.whole(CVE, severity, available, published)), &targets, now)
    };
    assert_eq!(stand(Level::Critical, "06T00", "07T00"), Standing::Met);
    assert_eq!(stand(Level::Critical, "06T00", "07T01"), Standing::Late);
    assert_eq!(stand(Level::High, "06T00", "13T00"), Standing::Met);
    assert_eq!(stand(Level::High, "06T00", "13T01"), Standing::Late);
    assert_eq!(stand(Level::Unknown, "06T00", "19T00"), Standing::Met);
    let open = |severity| {
        let mut events = PYTHON.whole(CVE, severity, "06T00", "07T00");
        events.truncate(2);
        standing(&one(&events), &targets, now)
    };
    assert_eq!((open(Level::High), open(Level::Low)), (Standing::Overdue, Standing::InTime));
    let found = PYTHON.detected("05T00", 'a', CVE, Level::Critical);
    assert_eq!(standing(&one(std::slice::from_ref(&found)), &targets, now), Standing::NoFix);
    let gone = PYTHON.gone("06T00", CVE, Why::Removed);
    assert_eq!(standing(&one(&[found, gone]), &targets, now), Standing::Gone);
    let unseen = [PYTHON.fixed("07T00", CVE, 'a', 'b'), PYTHON.published("07T01", 'b', &["3.13"])];
    assert_eq!(standing(&one(&unseen), &targets, now), Standing::Untimed);
}

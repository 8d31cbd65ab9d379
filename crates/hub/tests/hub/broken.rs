//! Servers that break off, refuse, lie, or are none of the hub's kind.

use std::fs;

use avizor_hub::{HubError, Progress};

use crate::server::Answer;
use crate::stage::{COMMIT, Cdn, Stage, content};

fn ranges(stage: &Stage) -> Vec<Option<String>> {
    stage.cdn.requests().iter().map(|request| request.headers.get("range").cloned()).collect()
}

#[test]
fn a_transfer_that_breaks_goes_on_where_it_was() {
    for stalls in [false, true] {
        let stage = Stage::new(Cdn { breaks: 2, after: 70_000, stalls, ..Cdn::default() });
        let (path, told) = stage.fetch().unwrap();
        assert_eq!(fs::read(path).unwrap(), content(), "{stalls}");
        assert_eq!(
            ranges(&stage),
            [None, Some("bytes=70000-".to_owned()), Some("bytes=140000-".to_owned())],
            "{stalls}"
        );
        let again = told.iter().filter(|step| matches!(step, Progress::Again { .. })).count();
        assert_eq!(again, 2, "{told:?}");
    }
}

#[test]
fn a_transfer_that_was_given_up_goes_on_another_time() {
    let stage = Stage::new(Cdn { breaks: 1, after: 70_000, ..Cdn::default() });
    let mut impatient = stage.client();
    impatient.patience.tries = 1;
    let error = impatient.fetch(&crate::stage::file(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, HubError::Network { .. }), "{error}");
    assert_eq!(stage.left(), content()[..70_000]);
    let (path, told) = stage.fetch().unwrap();
    assert_eq!(fs::read(path).unwrap(), content());
    assert_eq!(ranges(&stage), [None, Some("bytes=70000-".to_owned())]);
    assert!(told.iter().all(|step| !matches!(step, Progress::Bytes(bytes) if *bytes <= 70_000)), "{told:?}");
}

#[test]
fn a_server_that_knows_no_ranges_is_asked_for_all() {
    let stage = Stage::new(Cdn { breaks: 1, after: 70_000, knows_no_ranges: true, ..Cdn::default() });
    assert_eq!(fs::read(stage.fetch().unwrap().0).unwrap(), content());
    assert_eq!(stage.cdn.count("GET"), 2);
}

#[test]
fn a_server_that_brings_nothing_is_given_up() {
    let stage = Stage::new(Cdn { breaks: usize::MAX, after: 0, ..Cdn::default() });
    let error = stage.fetch().unwrap_err();
    assert!(matches!(error, HubError::Network { .. }), "{error}");
    assert_eq!(stage.cdn.count("GET"), 3);
}

#[test]
fn content_that_was_not_announced_is_not_kept() {
    let stage = Stage::new(Cdn { sends_other_content: true, ..Cdn::default() });
    let error = stage.fetch().unwrap_err();
    assert!(matches!(error, HubError::Content { .. }), "{error}");
    assert!(stage.left().is_empty());
    assert_eq!(fs::read_dir(stage.in_cache("blobs")).unwrap().count(), 1, "the empty remainder alone");
    assert!(!stage.in_cache("snapshots").exists());

    // What lies there from another time may be wrong, too: it is then fetched anew.
    for left in [vec![1; 70_000], vec![1; 200_000], vec![1; 300_000]] {
        let stage = Stage::new(Cdn::default());
        fs::create_dir_all(stage.in_cache("blobs")).unwrap();
        fs::write(stage.incomplete(), left).unwrap();
        assert_eq!(fs::read(stage.fetch().unwrap().0).unwrap(), content());
    }
}

#[test]
fn refusals_are_told_with_what_to_do() {
    for (status, sentence, help) in [
        (401, "the hub answers 401 (Access denied)", "HF_TOKEN"),
        (404, "the hub answers 404", "check the names"),
        (503, "the hub answers 503", "try again"),
    ] {
        let stage = Stage::of(move |_| Answer::new(status).header("X-Error-Message", "Access denied"));
        let error = stage.fetch().unwrap_err();
        assert!(error.to_string().contains(sentence), "{error}");
        assert!(error.help().contains(help), "{}", error.help());
        assert!(!stage.in_cache("").exists(), "nothing is left behind");
    }
}

#[test]
fn answers_that_are_not_the_hubs_are_refused() {
    let whole = || Answer { body: b"small".to_vec(), ..Answer::new(200) };
    let named = |commit: &str, etag: &str| whole().header("X-Repo-Commit", commit).header("ETag", etag);
    let cases = [
        ("a page", whole(), "it names no commit"),
        ("a commit that leads elsewhere", named("../../0123456789abcdef0123456789abcdef01", "a"), "its commit is none"),
        ("no ETag", whole().header("X-Repo-Commit", COMMIT), "it names no ETag"),
        ("an ETag that leads elsewhere", named(COMMIT, "\"../../../x\""), "its ETag is no name"),
        ("an ETag of dots", named(COMMIT, "\"..\""), "its ETag is no name"),
        ("an endless ETag", named(COMMIT, &"a".repeat(200)), "its ETag is no name"),
        ("a size that is none", named(COMMIT, "a").header("X-Linked-Size", "-1"), "its size is no number"),
        ("a huge file", named(COMMIT, "a").header("X-Linked-Size", 5u64 << 30), "it is larger than"),
        ("more than was announced", named(COMMIT, "a").header("X-Linked-Size", 3), "more comes than the 3 bytes"),
        ("a redirect to nowhere", Answer::new(302), "without saying where"),
        ("a circle", Answer::new(302).header("Location", "/again"), "more than 10 times"),
    ];
    for (what, answer, wanted) in cases {
        let stage = Stage::of(move |_| answer.clone());
        let error = stage.fetch().unwrap_err();
        assert!(matches!(error, HubError::Protocol { .. }), "{what}: {error}");
        assert!(error.to_string().contains(wanted), "{what}: {error}");
        assert!(!stage.in_cache("snapshots").exists(), "{what}");
    }
}

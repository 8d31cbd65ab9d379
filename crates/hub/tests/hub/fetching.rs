//! What is fetched, how often, and where it lies.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use avizor_hub::{HubError, HubFile, Network, Progress};

use crate::server::Answer;
use crate::stage::{COMMIT, Cdn, Stage, TOKEN, content, fetch, file, sha256};

#[test]
fn a_file_is_fetched_once_and_lies_where_python_looks() {
    let stage = Stage::new(Cdn::default());
    let (path, told) = stage.fetch().unwrap();
    assert_eq!(path, stage.in_cache(&format!("snapshots/{COMMIT}/weights/model.safetensors")));
    assert_eq!(fs::read(&path).unwrap(), content());
    let what = "hf:timm/tiny/weights/model.safetensors".to_owned();
    assert_eq!(told.first(), Some(&Progress::Begins { what, bytes: Some(200_000) }));
    assert_eq!(told.last(), Some(&Progress::Bytes(200_000)));
    assert_eq!(fs::read(stage.in_cache(&format!("blobs/{}", sha256(&content())))).unwrap(), content());
    assert_eq!(fs::read_to_string(stage.in_cache("refs/main")).unwrap(), COMMIT);
    assert!(!stage.incomplete().exists());
    #[cfg(unix)]
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("../../../blobs").join(sha256(&content())));

    // Again: the hub is asked what there is, and nothing comes. A commit needs no question.
    let (again, told) = stage.fetch().unwrap();
    assert_eq!((again, told), (path.clone(), Vec::new()));
    assert_eq!((stage.hub.count("HEAD"), stage.hub.count("GET"), stage.cdn.count("GET")), (2, 1, 1));
    let of_commit: HubFile = format!("hf:timm/tiny@{COMMIT}/weights/model.safetensors").parse().unwrap();
    assert_eq!(fetch(&stage.client(), &of_commit).unwrap(), (path.clone(), Vec::new()));
    let of_tag: HubFile = "hf:timm/tiny@v1.0/weights/model.safetensors".parse().unwrap();
    assert_eq!(fetch(&stage.client(), &of_tag).unwrap(), (path, Vec::new()));
    assert_eq!(fs::read_to_string(stage.in_cache("refs/v1.0")).unwrap(), COMMIT);
    assert_eq!((stage.hub.count("HEAD"), stage.hub.count("GET"), stage.cdn.count("GET")), (3, 1, 1));
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let stage = Stage::new(Cdn::default());
    stage.fetch().unwrap();
    let sent = |request: &crate::server::Request| request.headers.get("authorization").cloned();
    assert!(stage.hub.requests().iter().all(|request| sent(request) == Some(format!("Bearer {TOKEN}"))));
    assert_eq!(stage.cdn.requests().iter().map(sent).collect::<Vec<_>>(), [None]);
}

#[test]
fn a_small_file_comes_from_the_hub_itself_through_its_own_redirects() {
    let stage = Stage::of(|request| match request.path.as_str() {
        "/moved" => Answer { body: b"small".to_vec(), ..Answer::new(200) }
            .header("X-Repo-Commit", COMMIT)
            .header("ETag", "W/\"c0ffee\""),
        _ => Answer::new(307).header("Location", "/moved"),
    });
    let (path, told) = stage.fetch().unwrap();
    assert_eq!(fs::read(path).unwrap(), b"small");
    assert!(stage.in_cache("blobs/c0ffee").is_file());
    assert_eq!(told[1..], [Progress::Bytes(5)]);
}

#[test]
fn without_the_network_what_is_at_hand_is_used() {
    let stage = Stage::new(Cdn::default());
    let mut offline = stage.client();
    offline.network = Network::Forbidden;
    let error = fetch(&offline, &file()).unwrap_err();
    assert!(matches!(error, HubError::Offline { .. }), "{error}");
    assert!(error.to_string().contains("hf:timm/tiny/weights/model.safetensors is not at hand"), "{error}");
    assert!(stage.hub.requests().is_empty());
    assert_eq!(offline.at_hand(&file()), None);

    let (path, _) = stage.fetch().unwrap();
    let asked = stage.hub.requests().len();
    assert_eq!(fetch(&offline, &file()).unwrap(), (path.clone(), Vec::new()));
    assert_eq!(offline.at_hand(&file()), Some(path.clone()));
    assert_eq!(stage.hub.requests().len(), asked, "nobody was asked");

    // The same where the hub cannot be reached, which is said.
    let mut away = stage.client();
    away.endpoint = "http://127.0.0.1:1".to_owned();
    let (kept, told) = fetch(&away, &file()).unwrap();
    assert_eq!(kept, path);
    assert!(matches!(&told[..], [Progress::Kept { .. }]), "{told:?}");
}

/// The second waits for the first, and finds what it has fetched.
#[test]
fn two_at_once_fetch_a_file_once() {
    let stage = Stage::new(Cdn::default());
    let together = Barrier::new(2);
    thread::scope(|scope| {
        let fetches = [(); 2].map(|()| {
            scope.spawn(|| {
                together.wait();
                stage.fetch().unwrap().0
            })
        });
        for fetch in fetches {
            assert_eq!(fs::read(fetch.join().unwrap()).unwrap(), content());
        }
    });
    assert_eq!(stage.cdn.count("GET"), 1);
}

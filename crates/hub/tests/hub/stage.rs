//! A hub, the other host that its files lie on, and a cache.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use avizor_hub::{Hub, HubError, HubFile, Network, Patience, Progress};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::server::{Answer, Break, Request, Server};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const TOKEN: &str = "hf_secret";

/// A file of a repository, in a folder of it.
pub(crate) fn file() -> HubFile {
    "hf:timm/tiny/weights/model.safetensors".parse().unwrap()
}

/// What the file holds.
pub(crate) fn content() -> Vec<u8> {
    (0..200_000u32).map(|i| (i * 7919 % 251) as u8).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) struct Stage {
    pub(crate) hub: Server,
    pub(crate) cdn: Arc<Server>,
    pub(crate) cache: TempDir,
}

/// How the host of the files behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cdn {
    /// The first so many requests of content break off after so many bytes.
    pub(crate) breaks: usize,
    pub(crate) after: usize,
    pub(crate) stalls: bool,
    pub(crate) knows_no_ranges: bool,
    pub(crate) sends_other_content: bool,
}

impl Cdn {
    fn answer(self, request: &Request, asked: &AtomicUsize) -> Answer {
        let mut body = content();
        if self.sends_other_content {
            body[100_000] ^= 1;
        }
        let all = body.len();
        let range = request.headers.get("range").filter(|_| !self.knows_no_ranges);
        let from = range.map(|range| range["bytes=".len()..range.len() - 1].parse::<usize>().unwrap());
        let mut answer = match from {
            Some(from) if from >= all => return Answer::new(416),
            Some(from) => Answer::new(206).header("Content-Range", format!("bytes {from}-{}/{all}", all - 1)),
            None => Answer::new(200),
        };
        answer.body = body.split_off(from.unwrap_or(0));
        if asked.fetch_add(1, Ordering::SeqCst) < self.breaks {
            let how = if self.stalls { Break::Stalls(Duration::from_millis(600)) } else { Break::Closes };
            answer.breaks = Some((self.after.min(answer.body.len()), how));
        }
        answer
    }
}

impl Stage {
    pub(crate) fn new(cdn: Cdn) -> Self {
        let asked = AtomicUsize::new(0);
        let cdn = Arc::new(Server::start(move |request| cdn.answer(request, &asked)));
        let url = cdn.url.clone();
        let hub = Server::start(move |request| hub(request, &url));
        Self { hub, cdn, cache: tempfile::tempdir().unwrap() }
    }

    /// Whatever the hub answers.
    pub(crate) fn of(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let cdn = Arc::new(Server::start(|_| Answer::new(404)));
        Self { hub: Server::start(answer), cdn, cache: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn client(&self) -> Hub {
        let short = Duration::from_millis(300);
        Hub {
            endpoint: self.hub.url.clone(),
            cache: self.cache.path().to_owned(),
            token: Some(TOKEN.to_owned()),
            certificates: None,
            network: Network::Allowed,
            patience: Patience { silence: short, tries: 3, pause: Duration::ZERO, ..Patience::default() },
        }
    }

    pub(crate) fn fetch(&self) -> Result<(PathBuf, Vec<Progress>), HubError> {
        fetch(&self.client(), &file())
    }

    pub(crate) fn in_cache(&self, path: &str) -> PathBuf {
        self.cache.path().join("models--timm--tiny").join(path)
    }

    pub(crate) fn incomplete(&self) -> PathBuf {
        self.in_cache(&format!("blobs/{}.incomplete", sha256(&content())))
    }

    /// The bytes that a broken transfer has left.
    pub(crate) fn left(&self) -> Vec<u8> {
        fs::read(self.incomplete()).unwrap()
    }
}

pub(crate) fn fetch(hub: &Hub, file: &HubFile) -> Result<(PathBuf, Vec<Progress>), HubError> {
    let mut told = Vec::new();
    let path = hub.fetch(file, &mut |step| told.push(step))?;
    Ok((path, told))
}

/// As the hub answers for a large file: its headers, and where the content lies.
fn hub(request: &Request, cdn: &str) -> Answer {
    let revisions =
        ["main", "v1.0", COMMIT].map(|revision| format!("/timm/tiny/resolve/{revision}/weights/model.safetensors"));
    if !revisions.contains(&request.path) {
        return Answer::new(404).header("X-Error-Message", "Entry not found");
    }
    let content = content();
    Answer::new(302)
        .header("Location", format!("{cdn}/content?signed=1"))
        .header("X-Repo-Commit", COMMIT)
        .header("ETag", "\"of the redirect\"")
        .header("X-Linked-Etag", format!("\"{}\"", sha256(&content)))
        .header("X-Linked-Size", content.len())
}

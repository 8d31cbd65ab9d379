//! HTTP as the hub speaks it.
//!
//! A `HEAD` of a file answers with commit, ETag and size, even where the content lies elsewhere: then the answer leads to
//! another host, and the headers stand in it. Redirects are followed here, one by one, so that the token goes to the hub's
//! own host and to no other.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::address::is_plain;
use crate::cache::is_commit;
use crate::{Hub, HubError, HubFile};

/// More redirects are a circle.
const MOST_REDIRECTS: usize = 10;
/// A longer file of certificates is none.
const MOST_PEM_BYTES: u64 = 16 << 20;
/// So much of what a server says of an error is shown.
const SHOWN: usize = 200;

/// How long a server is waited for, and how often it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the beginning of an answer.
    pub answer: Duration,
    /// For the next bytes of it: a slow line is no error, one that says nothing is.
    pub silence: Duration,
    /// Broken connections one after the other that brought nothing, until it is given up.
    pub tries: u32,
    /// Between two tries.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), answer: seconds(30), silence: seconds(30), tries: 5, pause: seconds(2) }
    }
}

/// What the hub knows of a file.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) commit: String,
    /// Of the content: a name of letters and digits, a SHA-256 for large files.
    pub(crate) etag: String,
    pub(crate) bytes: Option<u64>,
}

/// A part of a file.
pub(crate) struct Part {
    /// Where it begins in the file.
    pub(crate) start: u64,
    pub(crate) content: Box<dyn Read>,
}

pub(crate) struct Client<'h> {
    agent: Agent,
    endpoint: &'h str,
    token: Option<&'h str>,
}

impl<'h> Client<'h> {
    /// # Errors
    /// When the file of certificates cannot be read or has none.
    pub(crate) fn new(hub: &'h Hub) -> Result<Self, HubError> {
        let Hub { patience, .. } = hub;
        let roots = hub.certificates.as_deref().map_or(Ok(RootCerts::WebPki), certificates)?;
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(concat!("avizor/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.answer))
            .timeout_per_read(Some(patience.silence));
        Ok(Self { agent: config.build().into(), endpoint: &hub.endpoint, token: hub.token.as_deref() })
    }

    /// Asks what the hub has under the file's name.
    pub(crate) fn metadata(&self, file: &HubFile) -> Result<Metadata, HubError> {
        let mut url = self.url(file, file.revision());
        for _ in 0..=MOST_REDIRECTS {
            let (status, headers) = self.ask(file, &url)?;
            if header(&headers, "x-repo-commit").is_some() || status.is_success() {
                return metadata(&headers, status).map_err(|why| HubError::Protocol { what: file.to_string(), why });
            }
            url = next(file, &url, &headers)?;
        }
        Err(circle(file))
    }

    /// The file's content from a byte on, or from the start where the server knows no parts.
    pub(crate) fn content(&self, file: &HubFile, commit: &str, from: u64) -> Result<Part, HubError> {
        let mut url = self.url(file, commit);
        for _ in 0..=MOST_REDIRECTS {
            let mut request = self.agent.get(&url).header("accept-encoding", "identity");
            if from > 0 {
                request = request.header("range", format!("bytes={from}-"));
            }
            let response = self.authorised(request, &url).call().map_err(|error| network(file, &error))?;
            let status = response.status();
            if status.is_redirection() {
                url = next(file, &url, response.headers())?;
                continue;
            }
            if status == StatusCode::RANGE_NOT_SATISFIABLE && from > 0 {
                return self.content(file, commit, 0);
            }
            refused(file, status, response.headers())?;
            let start = if status == StatusCode::PARTIAL_CONTENT { range_start(response.headers()) } else { Some(0) };
            let why = || HubError::Protocol { what: file.to_string(), why: "a part of another place".to_owned() };
            let start = start.filter(|&start| start == from || start == 0).ok_or_else(why)?;
            return Ok(Part { start, content: Box::new(response.into_body().into_reader()) });
        }
        Err(circle(file))
    }

    /// Status and headers of a file.
    fn ask(&self, file: &HubFile, url: &str) -> Result<(StatusCode, HeaderMap), HubError> {
        let request = self.agent.head(url).header("accept-encoding", "identity");
        let response = self.authorised(request, url).call().map_err(|error| network(file, &error))?;
        refused(file, response.status(), response.headers())?;
        Ok((response.status(), response.headers().clone()))
    }

    /// With the token, if the request goes to the hub itself.
    fn authorised<B>(&self, request: ureq::RequestBuilder<B>, url: &str) -> ureq::RequestBuilder<B> {
        match self.token {
            Some(token) if origin(url).eq_ignore_ascii_case(origin(self.endpoint)) => {
                request.header("authorization", format!("Bearer {token}"))
            }
            _ => request,
        }
    }

    fn url(&self, file: &HubFile, revision: &str) -> String {
        let path: Vec<String> = file.path().split('/').map(quoted).collect();
        format!("{}/{}/resolve/{}/{}", self.endpoint, file.repository(), quoted(revision), path.join("/"))
    }
}

/// The certificates of a PEM file.
fn certificates(path: &Path) -> Result<RootCerts, HubError> {
    let mut pem = Vec::new();
    File::open(path).and_then(|file| file.take(MOST_PEM_BYTES).read_to_end(&mut pem)).map_err(HubError::at(path))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| if let Ok(PemItem::Certificate(certificate)) = item { Some(certificate) } else { None })
        .collect();
    if certificates.is_empty() {
        return Err(HubError::at(path)(io::Error::other("it holds no certificates")));
    }
    Ok(certificates.into_iter().into())
}

fn metadata(headers: &HeaderMap, status: StatusCode) -> Result<Metadata, String> {
    let commit = header(headers, "x-repo-commit").ok_or("it names no commit")?;
    if !is_commit(commit) {
        return Err("its commit is none".to_owned());
    }
    let etag = header(headers, "x-linked-etag").or_else(|| header(headers, "etag")).ok_or("it names no ETag")?;
    let etag = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
    // It becomes the name of a file.
    if !is_plain(etag) || etag.len() > 128 {
        return Err("its ETag is no name".to_owned());
    }
    let own_length = || header(headers, "content-length").filter(|_| status.is_success());
    let bytes = header(headers, "x-linked-size").or_else(own_length);
    let bytes = bytes.map(|bytes| bytes.parse().map_err(|_| "its size is no number")).transpose()?;
    Ok(Metadata { commit: commit.to_owned(), etag: etag.to_owned(), bytes })
}

/// `N` of `content-range: bytes N-M/LENGTH`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    header(headers, "content-range")?.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn refused(file: &HubFile, status: StatusCode, headers: &HeaderMap) -> Result<(), HubError> {
    if status.is_success() || status.is_redirection() {
        return Ok(());
    }
    let said = header(headers, "x-error-message").unwrap_or_default();
    let message = said.chars().take(SHOWN).collect();
    Err(HubError::Refused { what: file.to_string(), status: status.as_u16(), message })
}

fn network(file: &HubFile, error: &ureq::Error) -> HubError {
    HubError::Network { what: file.to_string(), why: error.to_string() }
}

fn circle(file: &HubFile) -> HubError {
    HubError::Protocol { what: file.to_string(), why: format!("it leads on more than {MOST_REDIRECTS} times") }
}

/// Where a redirect leads.
fn next(file: &HubFile, url: &str, headers: &HeaderMap) -> Result<String, HubError> {
    let wrong = |why: &str| HubError::Protocol { what: file.to_string(), why: why.to_owned() };
    let location = header(headers, "location").ok_or_else(|| wrong("it leads on without saying where"))?;
    let next = joined(url, location);
    if url.starts_with("https:") && !next.starts_with("https:") {
        return Err(wrong("it leads from https to what is not encrypted"));
    }
    Ok(next)
}

/// An address that a page at `url` names.
fn joined(url: &str, location: &str) -> String {
    if location.contains("://") && !location.starts_with('/') {
        return location.to_owned();
    }
    if let Some(rest) = location.strip_prefix("//") {
        return format!("{}//{rest}", &url[..=url.find(':').unwrap_or(0)]);
    }
    if location.starts_with('/') {
        return format!("{}{location}", origin(url));
    }
    let path = url.split(['?', '#']).next().unwrap_or(url);
    format!("{}/{location}", path.rsplit_once('/').map_or(path, |(folder, _)| folder))
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

/// A part of a path in an address.
fn quoted(part: &str) -> String {
    let mut quoted = String::new();
    for byte in part.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("%{byte:02X}")),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_as_browsers_do() {
        let url = "https://hub.example:8443/a/b?c=/d";
        for (location, wanted) in [
            ("https://cdn.example/x", "https://cdn.example/x"),
            ("//cdn.example/x", "https://cdn.example/x"),
            ("/x?y=http://z", "https://hub.example:8443/x?y=http://z"),
            ("x", "https://hub.example:8443/a/x"),
        ] {
            assert_eq!(joined(url, location), wanted);
        }
    }

    #[test]
    fn the_token_goes_to_the_same_origin_alone() {
        assert_eq!(origin("https://hub.example:8443/a"), "https://hub.example:8443");
        assert_eq!(origin("https://hub.example"), "https://hub.example");
        for other in [
            "http://hub.example",
            "https://hub.example.evil/a",
            "https://hub.example@evil/a",
            "https://hub.example:1/a",
            "https://evil/?https://hub.example",
        ] {
            assert_ne!(origin(other), "https://hub.example", "{other}");
        }
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("a b#é%.pth"), "a%20b%23%C3%A9%25.pth");
    }
}

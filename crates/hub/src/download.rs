//! A blob of the cache, from a server that may break off at any byte.

use std::io::{self, Read};
use std::thread;

use crate::cache::Repository;
use crate::client::{Client, Metadata, Patience};
use crate::partial::Partial;
use crate::{HubError, HubFile, Progress};

/// A larger file is not fetched: none of weights that is read is larger.
const MOST_BYTES: u64 = 4 << 30;
/// Bytes that are read at a time.
const BUFFER: usize = 1 << 16;

/// What a transfer needs to know.
pub(crate) struct Download<'d> {
    pub(crate) client: &'d Client<'d>,
    pub(crate) patience: &'d Patience,
    pub(crate) file: &'d HubFile,
    pub(crate) metadata: &'d Metadata,
}

impl Download<'_> {
    /// Makes the blob be there, whole and checked; the caller holds its lock. What an earlier try left is gone on from.
    pub(crate) fn run(&self, repository: &Repository, progress: &mut dyn FnMut(Progress)) -> Result<(), HubError> {
        let etag = &self.metadata.etag;
        let blob = repository.blob(etag);
        if blob.is_file() {
            // Of another revision, or another program has fetched it meanwhile.
            return Ok(());
        }
        if self.metadata.bytes.is_some_and(|bytes| bytes > MOST_BYTES) {
            return Err(self.protocol(format!("it is larger than {MOST_BYTES} bytes")));
        }
        progress(Progress::Begins { what: self.file.to_string(), bytes: self.metadata.bytes });
        let path = blob.with_file_name(format!("{etag}.incomplete"));
        let mut partial = Partial::open(path.clone()).map_err(HubError::at(&path))?;
        let is_continued = partial.len() > 0;
        self.fill(&mut partial, progress)?;
        if let Err(error) = self.check(&partial) {
            partial.restart().map_err(HubError::at(&path))?;
            if !is_continued {
                return Err(error);
            }
            // What an earlier try left may be what is wrong.
            progress(Progress::Again { why: error.to_string() });
            self.fill(&mut partial, progress)?;
            if let Err(error) = self.check(&partial) {
                partial.restart().map_err(HubError::at(&path))?;
                return Err(error);
            }
        }
        partial.finish(&blob).map_err(HubError::at(&blob))
    }

    /// Asks for what is missing until nothing is.
    fn fill(&self, partial: &mut Partial, progress: &mut dyn FnMut(Progress)) -> Result<(), HubError> {
        let mut tries = 0;
        loop {
            let before = partial.len();
            let why = match self.ask_for_the_rest(partial, progress) {
                Ok(()) => return Ok(()),
                Err(HubError::Network { why, .. }) => why,
                Err(HubError::Refused { status: status @ (429 | 500..), .. }) => format!("the hub answers {status}"),
                Err(error) => return Err(error),
            };
            tries = if partial.len() > before { 1 } else { tries + 1 };
            if tries >= self.patience.tries {
                return Err(self.network(why));
            }
            progress(Progress::Again { why });
            thread::sleep(self.patience.pause);
        }
    }

    /// One request: all that is missing, or as much as comes.
    fn ask_for_the_rest(&self, partial: &mut Partial, progress: &mut dyn FnMut(Progress)) -> Result<(), HubError> {
        let path = partial.path().to_owned();
        let all = self.metadata.bytes;
        if all.is_some_and(|all| partial.len() > all) {
            partial.restart().map_err(HubError::at(&path))?;
        }
        if all == Some(partial.len()) {
            return Ok(());
        }
        let mut part = self.client.content(self.file, &self.metadata.commit, partial.len())?;
        if part.start != partial.len() {
            partial.restart().map_err(HubError::at(&path))?;
        }
        let most = all.unwrap_or(MOST_BYTES);
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = match part.content.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.network(error.to_string())),
            };
            if partial.len() + read as u64 > most {
                partial.restart().map_err(HubError::at(&path))?;
                return Err(self.protocol(format!("more comes than the {most} bytes that there may be")));
            }
            partial.append(&buffer[..read]).map_err(HubError::at(&path))?;
            progress(Progress::Bytes(partial.len()));
        }
        match all {
            Some(all) if partial.len() < all => {
                Err(self.network(format!("the connection ended after {} of {all} bytes", partial.len())))
            }
            _ => Ok(()),
        }
    }

    /// The ETag of a large file is its SHA-256.
    fn check(&self, partial: &Partial) -> Result<(), HubError> {
        let wanted = &self.metadata.etag;
        let is_hash = wanted.len() == 64 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
        let got = partial.hash();
        if !is_hash || got.eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(HubError::Content { what: self.file.to_string(), got, wanted: wanted.clone() })
    }

    fn network(&self, why: String) -> HubError {
        HubError::Network { what: self.file.to_string(), why }
    }

    fn protocol(&self, why: String) -> HubError {
        HubError::Protocol { what: self.file.to_string(), why }
    }
}

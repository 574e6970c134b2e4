//! Where objects are put.

use std::{borrow::Cow, collections::BTreeMap, ops::Range, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// Text that is kept with an object: lower-case names, printable ASCII values. Names are constants of whoever writes them, so they are not copied for each
/// object.
pub type ObjectMetadata = BTreeMap<Cow<'static, str>, String>;

/// An object's body in pieces.
pub type Body = Vec<Bytes>;

/// What came of an attempt to make an object under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The object is durable under its name.
    Created,
    /// The name is taken, or the object is no longer the one that was to be replaced: nothing was changed.
    NameTaken,
}

/// What must hold when an object appears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// No object has the name (`If-None-Match: *`).
    NameFree,
    /// The object is still the one that was seen (`If-Match`).
    Unchanged(Version),
}

/// Identifies the content of an object as the store does (an entity tag).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

/// An object as `HEAD` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Bytes.
    pub size: u64,
    /// Its version.
    pub version: Version,
    /// When it appeared, in milliseconds since 1970 by the store's clock; `None` where the store does not say.
    pub modified: Option<i64>,
    /// What was kept with it; empty where the store keeps nothing.
    pub metadata: ObjectMetadata,
}

/// Where a listing begins or goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// At the first name with the prefix.
    Start,
    /// After this name in byte order, whether it exists or not. A store that knows no order may give names before it, too.
    After(String),
    /// Where an earlier page has ended, in the store's own words.
    Token(String),
}

/// A part of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Names, at most some thousand.
    pub names: Vec<String>,
    /// Where the next page begins; `None` at the end. Asking again at the same place gives the same names, and those that have been added.
    pub next: Option<Cursor>,
}

/// Whether a multipart upload of an object with this name was left behind by an owner that is gone.
pub type IsAbandoned<'a> = &'a (dyn Fn(&str) -> bool + Send + Sync);

/// What a store asks of the pieces of a name, which slashes divide.
#[derive(Clone, Copy, Debug)]
pub struct PieceLimit {
    /// The longest piece before the last slash, in bytes.
    pub longest_directory: usize,
    /// The longest last piece, in bytes.
    pub longest_file: usize,
    /// How many bytes a piece has in the store, which may write some characters otherwise.
    pub length: fn(&str) -> usize,
}

impl PieceLimit {
    /// How long the first piece is that the store does not take, and how long one may be in its place.
    pub fn broken_by(&self, name: &str) -> Option<(usize, usize)> {
        let (directories, file) = name.rsplit_once('/').map_or((None, name), |(before, file)| (Some(before), file));
        let directories = directories.into_iter().flat_map(|before| before.split('/')).map(|piece| (piece, self.longest_directory));
        let mut pieces = directories.chain([(file, self.longest_file)]).map(|(piece, most)| ((self.length)(piece), most));
        pieces.find(|(length, most)| length > most)
    }
}

/// A store of objects with slash-separated names. Every call may be made any number of times at once.
///
/// Errors of every call are `Retriable` where the store may answer otherwise later (unreachable, throttled, 5xx), `Config` where the
/// bucket or the credentials are wrong, `Fatal` for anything else. Implementations try once or a few times within seconds; trying for ever is the
/// caller's part.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Whether the bucket can be used at all. Called once at start.
    async fn check(&self) -> Result<()>;

    /// Puts a whole object in one request.
    async fn put(&self, key: &str, body: Body, metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion>;

    /// Begins an object that is sent in parts. Nothing is visible before [`MultipartUpload::complete`].
    async fn start_upload(&self, key: &str, metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>>;

    /// The object under this name, if any.
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>>;

    /// These bytes of the object, fewer where it ends before; `None` where there is no such object.
    async fn get(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>>;

    /// Names that begin with `prefix`, a page at a time: `cursor` is [`Cursor::Start`], [`Cursor::After`], or what the page before said. `Config` where
    /// listing is refused: a sink can do without, at the price of objects of another past that it meets by name only.
    async fn list(&self, prefix: &str, cursor: &Cursor) -> Result<Page>;

    /// Ends multipart uploads of names with this prefix that `is_abandoned` says nobody will complete; returns how many. Best effort.
    async fn abort_uploads(&self, prefix: &str, is_abandoned: IsAbandoned<'_>) -> Result<usize>;

    /// Sets the tags of an object that is there, in place of those that it has. A store without tags does nothing.
    async fn tag(&self, _key: &str, _tags: &[(String, String)]) -> Result<()> {
        Ok(())
    }

    /// How long after it was sent a request may still take effect though whoever sent it is gone.
    fn request_life(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// What the store asks of the pieces of a name; nothing where only the whole of it counts.
    fn piece_limit(&self) -> Option<PieceLimit> {
        None
    }

    /// What the store does not do, in a sentence for operators: such as "keeps no metadata"; empty where it does everything.
    fn limits(&self) -> &'static str {
        ""
    }
}

/// An object that is being sent in parts. Parts may be sent at the same time and in any order.
#[async_trait]
pub trait MultipartUpload: Send + Sync {
    /// Sends part `number` (from 0). Sending a number again replaces the part.
    async fn put_part(&self, number: usize, body: Body) -> Result<()>;

    /// Makes the object from its parts. May be called again after an error, and with another condition after
    /// [`Completion::NameTaken`]. `Fatal` where the store does not know the upload any more, and nothing that it made has the name.
    async fn complete(&self, condition: &Condition) -> Result<Completion>;

    /// Gives the upload up and frees what the store keeps of it.
    async fn abort(&self) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_piece_that_is_too_long_for_its_place_breaks_the_limit() {
        let limit = PieceLimit { longest_directory: 3, longest_file: 2, length: |piece| piece.len() };
        for (name, broken) in
            [("abc/abc/ab", None), ("ab", None), ("abc", Some((3, 2))), ("abc/abcd/abc", Some((4, 3))), ("a//abc", Some((3, 2)))]
        {
            assert_eq!(limit.broken_by(name), broken, "{name}");
        }
    }
}

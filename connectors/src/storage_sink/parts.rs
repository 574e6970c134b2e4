//! Objects that have outgrown one request: their parts are sent while their files are still open.

use std::{collections::VecDeque, sync::Arc};

use connect_api::{Body, MultipartUpload, ObjectMetadata, Result, Storage};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc;
use tracing::debug;

use super::{
    asking::until_answered,
    claim::{Claimed, Object},
    file_buffer::Content,
    ledger::CutId,
    uploads::{News, Target, Uploads},
    writer_state::WaitingBytes,
};

/// Parts of one object that are sent at the same time.
const PARTS_AT_ONCE: usize = 4;

/// Sends the parts of one object that is still growing. Dropping it gives the upload up.
pub(super) struct Parts(mpsc::UnboundedSender<Piece>);

/// An upload as far as it was begun.
#[derive(Default)]
struct Started {
    upload: Option<Arc<dyn MultipartUpload>>,
    /// How often the store was asked to begin it.
    tries: usize,
}

impl Started {
    async fn start(&mut self, storage: &dyn Storage, key: &str, metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>> {
        self.tries += 1;
        storage.start_upload(key, metadata).await
    }
}

pub(super) enum Piece {
    /// One part.
    Part(Body, WaitingBytes),
    /// The rest of the object; after it the object is completed.
    Last { content: Content, bytes: WaitingBytes, target: Box<Target>, cut: CutId },
}

impl Parts {
    pub(super) fn send(&self, body: Body, bytes: WaitingBytes) {
        // The other end is gone only when the assignment is over, and then nobody needs the bytes.
        let _closed = self.0.send(Piece::Part(body, bytes));
    }

    pub(super) fn finish(self, last: Piece) {
        let _closed = self.0.send(last);
    }
}

impl Uploads {
    /// Begins an object that has outgrown one part.
    pub(super) fn start_parts(self: &Arc<Self>, target: Target) -> Parts {
        let (sender, pieces) = mpsc::unbounded_channel();
        let uploads = Arc::clone(self);
        self.context.spawn(async move {
            let writer = Arc::clone(&target.writer);
            let mut started = Started::default();
            let sent = writer.while_open(uploads.send_parts(&target, pieces, &mut started)).await;
            // No last piece: the writer dropped the file.
            let claimed = sent.flatten();
            // What did not become the object under the name is of no use, and costs until somebody frees it.
            if let Some(upload) = started.upload.filter(|_| !claimed.as_ref().is_some_and(|claimed| claimed.is_created)) {
                abandon(&*upload, &target.key).await;
            }
            uploads.tell(writer.id, claimed.map(|claimed| claimed.news));
            // Its answer was lost: the store may keep an upload whose number nobody knows. Whoever comes next may have one of this name under way.
            if started.tries > 1 && !writer.cancelled.is_cancelled() && uploads.lease.holds() {
                let freed = uploads.storage().abort_uploads(&target.key, &|name| name == target.key).await;
                debug!(key = target.key, ?freed, "a multipart upload was begun more than once");
            }
        });
        Parts(sender)
    }

    async fn send_parts(
        self: &Arc<Self>,
        target: &Target,
        mut pieces: mpsc::UnboundedReceiver<Piece>,
        started: &mut Started,
    ) -> Option<Claimed> {
        let failed = |error| Some(Claimed { news: News::Failed(error), is_created: false });
        let metadata = target.provenance.metadata();
        let retrying = self.retrying(&target.key, &target.writer, false);
        let upload: Arc<dyn MultipartUpload> =
            match until_answered!(self, retrying, started.start(&*self.storage, &target.key, &metadata)) {
                Ok(upload) => Arc::from(upload),
                Err(error) => return failed(error),
            };
        started.upload = Some(Arc::clone(&upload));
        let mut sending = FuturesUnordered::new();
        let mut checksum = crc64fast_nvme::Digest::new();
        let (mut number, mut bytes, mut last) = (0, 0, None);
        let mut contents = VecDeque::new();
        loop {
            tokio::select! {
                Some(sent) = sending.next() => if let Err(error) = sent { return failed(error) },
                piece = pieces.recv(), if last.is_none() && sending.len() < PARTS_AT_ONCE => {
                    let (content, waiting) = match piece? {
                        Piece::Part(body, waiting) => (Content::from(body), waiting),
                        Piece::Last { content, bytes, target, cut } => {
                            last = Some((target, cut));
                            (content, bytes)
                        }
                    };
                    let length = content.bytes() + content.bytes_on_disk();
                    if length > 0 {
                        let content = Arc::new(content);
                        sending.push(self.put_part(target, &*upload, number, Arc::clone(&content), waiting));
                        number += 1;
                        bytes += length as u64;
                        contents.push_back(content);
                    }
                    // What lies on disk is read when nothing else waits for this: who waits for room here would keep the parts from their ends.
                    while let Some(content) = contents.pop_front_if(|content| content.bytes_on_disk() == 0) {
                        match content.read() {
                            Ok(body) => body.iter().for_each(|block| checksum.write(block)),
                            Err(error) => return failed(error),
                        }
                    }
                }
                else => break,
            }
        }
        drop(sending);
        for content in contents {
            match self.read_back(&content).await {
                Ok(read) => read.body.iter().for_each(|block| checksum.write(block)),
                Err(error) => return failed(error),
            }
        }
        let (target, cut) = last?;
        Some(self.claim(&target, &Object::InParts { upload, bytes, checksum: checksum.sum64() }, cut).await)
    }

    async fn put_part(
        self: &Arc<Self>,
        target: &Target,
        upload: &dyn MultipartUpload,
        number: usize,
        content: Arc<Content>,
        waiting: WaitingBytes,
    ) -> Result<()> {
        let retrying = self.retrying(&target.key, &target.writer, false);
        let sent = until_answered!(
            self,
            retrying,
            let read = match self.read_back(&content).await {
                Ok(read) => read,
                Err(error) => break Err(error),
            };
            upload.put_part(number, read.body.clone())
        );
        drop(waiting);
        sent
    }
}

async fn abandon(upload: &dyn MultipartUpload, key: &str) {
    if let Err(error) = upload.abort().await {
        debug!(key, error = error.report(), "an abandoned multipart upload could not be aborted; the next owner tries again");
    }
}

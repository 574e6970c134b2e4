//! Objects that have outgrown one request: their parts are sent while their files are still open.

use std::sync::Arc;

use connect_api::{Body, MultipartUpload, Reservation, Result};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc;
use tracing::debug;

use super::{
    ledger::CutId,
    uploads::{News, Object, Target, Uploads, length, until_answered},
};

/// Parts of one object that are sent at the same time.
const PARTS_AT_ONCE: usize = 4;

/// Sends the parts of one object that is still growing. Dropping it gives the upload up.
pub(super) struct Parts(mpsc::UnboundedSender<Piece>);

pub(super) enum Piece {
    /// One part.
    Part(Body, Reservation),
    /// The rest of the object; after it the object is completed.
    Last { body: Body, reservation: Reservation, target: Target, cut: CutId },
}

impl Parts {
    pub(super) fn send(&self, body: Body, reservation: Reservation) {
        // The other end is gone only when the assignment is over, and then nobody needs the bytes.
        let _closed = self.0.send(Piece::Part(body, reservation));
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
            let (writer, cancelled) = (target.writer, target.cancelled.clone());
            let mut started = None;
            let sent = cancelled.run_until_cancelled(uploads.send_parts(&target, pieces, &mut started)).await;
            let news = match sent {
                // No last piece: the writer dropped the file.
                Some(None) | None => None,
                Some(Some(news)) => Some(news),
            };
            if let (None, Some(upload)) = (&news, started) {
                abandon(&*upload, &target.key).await;
            }
            uploads.tell(writer, news);
        });
        Parts(sender)
    }

    async fn send_parts(
        &self,
        target: &Target,
        mut pieces: mpsc::UnboundedReceiver<Piece>,
        started: &mut Option<Arc<dyn MultipartUpload>>,
    ) -> Option<News> {
        let metadata = target.provenance.metadata();
        let upload: Arc<dyn MultipartUpload> =
            match until_answered!(self, &target.key, self.storage.start_upload(&target.key, &metadata)) {
                Ok(upload) => Arc::from(upload),
                Err(error) => return Some(News::Failed(error)),
            };
        *started = Some(Arc::clone(&upload));
        let mut sending = FuturesUnordered::new();
        let mut number = 0;
        let mut bytes = 0;
        let mut last = None;
        loop {
            tokio::select! {
                Some(sent) = sending.next() => if let Err(error) = sent { return Some(News::Failed(error)) },
                piece = pieces.recv(), if last.is_none() && sending.len() < PARTS_AT_ONCE => {
                    let (body, reservation) = match piece? {
                        Piece::Part(body, reservation) => (body, reservation),
                        Piece::Last { body, reservation, target, cut } => {
                            last = Some((target, cut));
                            (body, reservation)
                        }
                    };
                    bytes += length(&body);
                    if !body.is_empty() {
                        sending.push(self.put_part(&target.key, &*upload, number, body, reservation));
                        number += 1;
                    }
                }
                else => break,
            }
        }
        drop(sending);
        let (target, cut) = last?;
        Some(self.claim(&target, &Object::InParts { upload, bytes }, cut).await)
    }

    async fn put_part(
        &self,
        key: &str,
        upload: &dyn MultipartUpload,
        number: usize,
        body: Body,
        reservation: Reservation,
    ) -> Result<()> {
        let sent = until_answered!(self, key, upload.put_part(number, body.clone()));
        drop(reservation);
        sent
    }
}

async fn abandon(upload: &dyn MultipartUpload, key: &str) {
    if let Err(error) = upload.abort().await {
        debug!(key, error = error.report(), "an abandoned multipart upload could not be aborted; the next owner tries again");
    }
}

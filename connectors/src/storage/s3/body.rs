//! What is sent: pieces as they are, never copied together, with their checksum.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_types::base64;
use bytes::Bytes;
use connect_api::{Body, Error, Result};
use http_body::{Frame, SizeHint};
use md5::{Digest, Md5};

use super::client::MEBIBYTE;

/// How long nothing may move.
const STALLED: Duration = Duration::from_secs(20);

/// What is handed to the connection at once: progress is seen in steps of this size.
const STEP: usize = 256 << 10;

/// A body that can be sent any number of times.
pub(super) struct Content {
    pieces: Arc<[Bytes]>,
    length: u64,
    /// CRC-64/NVME as its header has it.
    pub(super) checksum: String,
    /// MD5 as its header has it, where it is asked for.
    pub(super) md5: Option<String>,
    progress: Arc<Progress>,
}

/// How far connections have come with a body.
#[derive(Default)]
struct Progress {
    /// Bytes that they took, of all attempts together.
    taken: AtomicU64,
    /// Bytes that the present attempt has before it.
    left: AtomicU64,
}

impl Content {
    pub(super) fn new(body: Body, send_digest: bool) -> Self {
        let mut crc = crc64fast_nvme::Digest::new();
        body.iter().for_each(|piece| crc.write(piece));
        let md5 = send_digest.then(|| {
            let mut md5 = Md5::new();
            body.iter().for_each(|piece| md5.update(piece));
            base64::encode(md5.finalize())
        });
        let length = body.iter().map(|piece| piece.len() as u64).sum();
        let checksum = base64::encode(crc.sum64().to_be_bytes());
        Self { pieces: body.into(), length, checksum, md5, progress: Arc::default() }
    }

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// A stream of the pieces. The SDK signs bodies that it can see whole with their SHA-256, and others as `UNSIGNED-PAYLOAD`.
    pub(super) fn stream(&self, signed: bool) -> ByteStream {
        if signed {
            return ByteStream::new(SdkBody::from(Bytes::from(self.pieces.concat())));
        }
        let (pieces, remaining, progress) = (self.pieces.clone(), self.length, self.progress.clone());
        ByteStream::new(SdkBody::retryable(move || {
            progress.left.store(remaining, Ordering::Relaxed);
            SdkBody::from_body_1_x(Pieces { pieces: pieces.clone(), next: 0, within: 0, remaining, progress: progress.clone() })
        }))
    }

    /// What comes of sending this, unless nothing moves for a while: a large body may take minutes, and a store that hangs must be noticed
    /// before. Once everything was taken the store may be about to answer: then the attempt's own time limit holds.
    ///
    /// # Errors
    /// `Retriable` where nothing moved.
    pub(super) async fn unless_stalled<T>(&self, key: &str, sending: impl Future<Output = T>) -> Result<T> {
        let mut sending = std::pin::pin!(sending);
        let mut before = 0;
        loop {
            if let Ok(sent) = tokio::time::timeout(STALLED, &mut sending).await {
                return Ok(sent);
            }
            let [taken, left] = [&self.progress.taken, &self.progress.left].map(|bytes| bytes.load(Ordering::Relaxed));
            // Small bodies are taken at once and have time limits of their own.
            if self.length >= MEBIBYTE && taken == before && left > 0 {
                return Err(Error::retriable(format!("could not send {key}: nothing moved for {} seconds", STALLED.as_secs())));
            }
            before = taken;
        }
    }
}

struct Pieces {
    pieces: Arc<[Bytes]>,
    next: usize,
    /// Bytes of the next piece that are sent already.
    within: usize,
    remaining: u64,
    progress: Arc<Progress>,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(piece) = self.pieces.get(self.next) else { return Poll::Ready(None) };
        let end = piece.len().min(self.within + STEP);
        let step = piece.slice(self.within..end);
        (self.next, self.within) = if end == piece.len() { (self.next + 1, 0) } else { (self.next, end) };
        self.remaining -= step.len() as u64;
        self.progress.taken.fetch_add(step.len() as u64, Ordering::Relaxed);
        self.progress.left.store(self.remaining, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(step))))
    }

    fn is_end_stream(&self) -> bool {
        self.next == self.pieces.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(pieces: &[&'static str]) -> Content {
        Content::new(pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect(), true)
    }

    #[tokio::test]
    async fn pieces_arrive_in_order_as_often_as_they_are_sent() {
        let content = content(&["1234", "", "56789"]);
        for signed in [false, true, false] {
            let received = content.stream(signed).collect().await.unwrap().into_bytes();
            assert_eq!(received, "123456789");
        }
    }

    #[tokio::test]
    async fn a_large_piece_is_handed_over_in_steps_and_stays_whole() {
        let piece: Vec<u8> = (0..=u8::MAX).cycle().take(3 * STEP + 1).collect();
        let content = Content::new(vec![piece.clone().into()], false);
        let mut stream = content.stream(false);
        let mut steps = Vec::new();
        while let Some(step) = stream.next().await {
            steps.push(step.unwrap());
        }
        assert_eq!(steps.iter().map(Bytes::len).collect::<Vec<_>>(), [STEP, STEP, STEP, 1]);
        assert!(steps.concat() == piece, "the steps are not the piece");
        assert_eq!(content.progress.taken.load(Ordering::Relaxed), piece.len() as u64);
    }

    /// Has some of a large body taken, waits, and ends.
    async fn sent(steps: usize, wait: Duration) -> Result<()> {
        let content = Content::new(vec![vec![0; 8 * STEP].into()], false);
        let mut stream = content.stream(false);
        let sending = async {
            for _ in 0..steps {
                stream.next().await.unwrap().unwrap();
            }
            tokio::time::sleep(wait).await;
        };
        content.unless_stalled("a", sending).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_stops_reading_is_noticed() {
        assert_eq!(sent(1, STALLED * 9).await.unwrap_err().kind(), connect_api::ErrorKind::Retriable);
        assert_eq!(sent(7, STALLED * 9).await.unwrap_err().kind(), connect_api::ErrorKind::Retriable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_has_everything_may_take_its_time_to_answer() {
        sent(8, STALLED * 9).await.unwrap();
    }

    #[test]
    fn checksums_are_of_all_pieces_together() {
        let content = content(&["1234", "56789"]);
        // The check value of CRC-64/NVME, 0xae8b14860a799888.
        assert_eq!(content.checksum, "rosUhgp5mIg=");
        assert_eq!(content.md5.unwrap(), "JfnnlDI7RTiF9RgfG2JNCw==");
    }

    #[test]
    fn only_a_whole_body_is_visible_to_the_signer() {
        let content = content(&["1234", "56789"]);
        let body = |signed| content.stream(signed).into_inner();
        assert_eq!(body(false).bytes(), None);
        assert_eq!(body(false).content_length(), Some(9));
        assert_eq!(body(true).bytes(), Some(&b"123456789"[..]));
    }
}

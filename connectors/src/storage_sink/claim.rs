//! Making an object under its name, or finding out who has the name and what follows from it.

use std::{sync::Arc, time::Duration};

use connect_api::{Body, Completion, Condition, Error, MultipartUpload, ObjectInfo, Result};
use tokio::{sync::oneshot, time::timeout};
use tracing::{debug, warn};

use super::{
    asking::until_answered,
    file_buffer::Content,
    ledger::CutId,
    provenance::{Claim, Provenance},
    uploads::{News, Target, Uploads},
};

/// How much of an object is compared at once.
const COMPARED_AT_ONCE: u64 = 1 << 20;

/// How long a commit may take before whoever waits for it leaves its place to others.
const PROOF_SOON: Duration = Duration::from_secs(2);

/// What is to appear under a name.
pub(super) enum Object {
    Whole(Content),
    /// Its parts are there, their bytes gone: what is left of them is their sum.
    InParts {
        upload: Arc<dyn MultipartUpload>,
        bytes: u64,
        checksum: u64,
    },
}

impl Object {
    fn bytes(&self) -> u64 {
        match self {
            Self::Whole(content) => (content.bytes() + content.bytes_on_disk()) as u64,
            Self::InParts { bytes, .. } => *bytes,
        }
    }

    /// Whole objects are sent by lanes.
    fn in_lane(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

/// How a claim ended.
pub(super) struct Claimed {
    pub(super) news: News,
    /// The object that was sent is the one under the name.
    pub(super) is_created: bool,
}

enum Outcome {
    Created,
    Adopted,
    /// The records are in no object.
    LeftOut,
    CutOtherwise(Box<Provenance>),
}

impl Uploads {
    /// Makes the object under its name, or finds out who has the name and what follows from it.
    pub(super) async fn claim(self: &Arc<Self>, target: &Target, object: &Object, cut: CutId) -> Claimed {
        let claimed = self.try_claim(target, object).await;
        let tagged = match &claimed {
            Ok(Outcome::Created | Outcome::Adopted) => self.tag_claimed(target).await,
            _ => Ok(()),
        };
        let is_created = matches!(claimed, Ok(Outcome::Created));
        if is_created {
            self.metrics.object_written(object.bytes());
        }
        let news = match claimed.and_then(|outcome| tagged.map(|()| outcome)) {
            Ok(Outcome::Created) => News::Durable(cut),
            Ok(Outcome::Adopted | Outcome::LeftOut) => {
                self.metrics.adopted.inc();
                News::Durable(cut)
            }
            Ok(Outcome::CutOtherwise(there)) => News::CutOtherwise { key: target.key.clone(), there },
            Err(error) => News::Failed(error),
        };
        Claimed { news, is_created }
    }

    async fn try_claim(self: &Arc<Self>, target: &Target, object: &Object) -> Result<Outcome> {
        let mut condition = Condition::NameFree;
        // Of the whole claim: what takes the name away again and again is asked with pauses, too.
        let mut again = self.retrying(&target.key, &target.writer, object.in_lane());
        loop {
            if self.create(target, object, &condition).await? == Completion::Created {
                if condition != Condition::NameFree {
                    warn!(
                        key = target.key,
                        "an object with other content was in the way, of another history or of other settings: replaced"
                    );
                    self.metrics.replaced.inc();
                }
                return Ok(Outcome::Created);
            }
            let Some(seen) = until_answered!(
                self,
                self.retrying(&target.key, &target.writer, object.in_lane()),
                self.storage.head(&target.key)
            )?
            else {
                // It has been deleted since; or the store contradicts itself, which readiness says when it goes on.
                condition = Condition::NameFree;
                let what = format!("the store says that the name {} is taken, and that nothing is there", target.key);
                let _refused_so_far = again.settle(Err::<(), _>(Error::retriable(what))).await;
                continue;
            };
            let there = Provenance::read(&seen.metadata);
            match (target.provenance.compare(there.as_ref()), &there) {
                (Claim::Ours, _) => {
                    debug!(key = target.key, "the object is there already, from before a restart: adopted");
                    return Ok(Outcome::Adopted);
                }
                (Claim::OursCutOtherwise, Some(there)) => return Ok(Outcome::CutOtherwise(Box::new(there.clone()))),
                (Claim::OursCutOtherwise | Claim::Foreign, _) => {}
            }
            if target.writer.log_is_gone() {
                // No commit can show any more that these offsets are ours to write.
                warn!(key = target.key, "the name of an object from a log that is gone is taken: its records are left out");
                return Ok(Outcome::LeftOut);
            }
            self.prove_ownership(target, object.in_lane()).await;
            if self.holds_the_same(target, object, &seen).await? {
                debug!(key = target.key, "an object of another history has the same content: adopted");
                return Ok(Outcome::Adopted);
            }
            if let Some(alive) = self.owner_is_alive(target, there.as_ref(), &seen) {
                condition = Condition::NameFree;
                // It stays there until somebody does something about it; readiness says so meanwhile.
                let _refused_so_far = again.settle(Err::<(), _>(Error::retriable(alive))).await;
                continue;
            }
            if condition == Condition::Unchanged(seen.version.clone()) {
                let what = format!("the store says that {} has changed, and shows it unchanged: it cannot be replaced", target.key);
                let _refused_so_far = again.settle(Err::<(), _>(Error::retriable(what))).await;
            }
            condition = Condition::Unchanged(seen.version);
        }
    }

    async fn create(self: &Arc<Self>, target: &Target, object: &Object, condition: &Condition) -> Result<Completion> {
        let retrying = self.retrying(&target.key, &target.writer, object.in_lane());
        match object {
            Object::Whole(content) => {
                let metadata = target.provenance.metadata();
                until_answered!(
                    self,
                    retrying,
                    let read = match self.read_back(content).await {
                        Ok(read) => read,
                        Err(error) => break Err(error),
                    };
                    self.storage.put(&target.key, read.body.clone(), &metadata, condition)
                )
            }
            Object::InParts { upload, .. } => until_answered!(self, retrying, upload.complete(condition)),
        }
    }

    /// Who wrote the object, if it is somebody else who may still be at work: another connector, or a program that has written it after this partition was
    /// opened. Two writers that replace each other's objects would never end, and what the other one has committed would be lost.
    fn owner_is_alive(&self, target: &Target, there: Option<&Provenance>, seen: &ObjectInfo) -> Option<String> {
        // Stores give whole seconds: what appeared in the second in which this began counts as older, for it may have been there.
        let is_new = seen.modified.is_some_and(|modified| modified > target.writer.opened);
        let (key, theirs) = (&target.key, there.and_then(|there| there.owner));
        let what_to_do = "give this connector another `topics.dir`, or remove what is there";
        if theirs.is_some() && theirs != target.provenance.owner {
            return Some(format!(
                "another connector has written {key} with other content, and may still be at work: it is not replaced; {what_to_do}"
            ));
        }
        (theirs.is_none() && is_new).then(|| {
            format!("another program has written {key} since this task began, with other content: two writers share these names; {what_to_do}")
        })
    }

    /// Whether the object that has the name has this content: by its size first, then piece by piece, until it differs.
    async fn holds_the_same(self: &Arc<Self>, target: &Target, object: &Object, seen: &ObjectInfo) -> Result<bool> {
        if seen.size != object.bytes() {
            return Ok(false);
        }
        let mut compared = Comparison::new(object);
        let _memory = self.budget().reserve(usize::try_from(COMPARED_AT_ONCE.min(seen.size)).unwrap_or_default());
        let mut at = 0;
        while at < seen.size {
            let range = at..seen.size.min(at + COMPARED_AT_ONCE);
            let retrying = self.retrying(&target.key, &target.writer, object.in_lane());
            let piece = until_answered!(self, retrying, self.storage.get(&target.key, range.clone()))?;
            let Some(piece) = piece.filter(|piece| !piece.is_empty()) else { return Ok(false) };
            at += piece.len() as u64;
            // Not while the store is asked, which may take as long as it likes.
            let read = match object {
                Object::Whole(content) => Some(self.read_back(content).await?),
                Object::InParts { .. } => None,
            };
            if !compared.goes_on_with(&piece, read.as_ref().map_or(const { &Vec::new() }, |read| &read.body)) {
                return Ok(false);
            }
        }
        Ok(compared.is_the_same())
    }

    /// Returns when a commit at the current generation has succeeded; never, where the partition is no longer ours.
    async fn prove_ownership(self: &Arc<Self>, target: &Target, in_lane: bool) {
        let mut waiting = self.retrying(&target.key, &target.writer, in_lane);
        let (proven, mut proof) = oneshot::channel();
        self.tell(target.writer.id, Some(News::ProofWanted(proven)));
        // Others may be able to go on while it does not come, and more of this partition would only wait as well.
        let _lane = match timeout(PROOF_SOON, &mut proof).await {
            Ok(Ok(())) => return,
            Ok(Err(_given_up)) => waiting.pause_lane(),
            Err(_late) => {
                let lane = waiting.pause_lane();
                let (key, topic_partition) = (&target.key, &target.provenance.topic_partition);
                waiting.refuse(format!(
                    "the name {key} is taken: it waits for a commit of {topic_partition}, which shows whose that is, and none comes"
                ));
                if proof.await.is_ok() {
                    return;
                }
                lane
            }
        };
        // What else this partition sends comes to its end first.
        drop(waiting);
        std::future::pending::<()>().await;
    }
}

/// What is left to compare.
enum Comparison {
    Bytes { block: usize, within: usize },
    Checksum { expected: u64, seen: crc64fast_nvme::Digest },
}

impl Comparison {
    fn new(object: &Object) -> Self {
        match object {
            Object::Whole(_) => Self::Bytes { block: 0, within: 0 },
            Object::InParts { checksum, .. } => Self::Checksum { expected: *checksum, seen: crc64fast_nvme::Digest::new() },
        }
    }

    /// `body`: that of a whole object.
    fn goes_on_with(&mut self, mut piece: &[u8], body: &Body) -> bool {
        match self {
            Self::Checksum { seen, .. } => seen.write(piece),
            Self::Bytes { block, within } => {
                while !piece.is_empty() {
                    let Some(rest) = body.get(*block).map(|bytes| &bytes[*within..]) else { return false };
                    let length = rest.len().min(piece.len());
                    if rest[..length] != piece[..length] {
                        return false;
                    }
                    piece = &piece[length..];
                    (*block, *within) = if length == rest.len() { (*block + 1, 0) } else { (*block, *within + length) };
                }
            }
        }
        true
    }

    /// Sizes are equal and everything was compared.
    fn is_the_same(&self) -> bool {
        match self {
            Self::Bytes { .. } => true,
            Self::Checksum { expected, seen } => *expected == seen.sum64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_body_in_blocks_is_compared_with_pieces_of_other_sizes() {
        let body = ["ab", "", "cdef", "g"].map(|block| Bytes::from_static(block.as_bytes())).to_vec();
        let object = Object::Whole(body.clone().into());
        let same = |pieces: &[&str]| {
            let mut compared = Comparison::new(&object);
            pieces.iter().all(|piece| compared.goes_on_with(piece.as_bytes(), &body)) && compared.is_the_same()
        };
        assert!(same(&["abc", "d", "efg"]) && same(&["abcdefg"]));
        assert!(!same(&["abc", "x"]) && !same(&["abcdefgh"]));
    }
}

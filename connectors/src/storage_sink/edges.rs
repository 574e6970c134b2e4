//! Offsets at which objects in the bucket begin and end: a million of them in a few bytes where they are evenly spaced.

/// Ascending offsets, each once, in runs of equal distance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edges {
    runs: Vec<Run>,
    is_sorted: bool,
}

/// `count` offsets from `first` on, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: i64,
    step: i64,
    count: i64,
}

impl Run {
    fn one(edge: i64) -> Self {
        Self { first: edge, step: 0, count: 1 }
    }

    fn last(&self) -> i64 {
        self.first + self.step * (self.count - 1)
    }

    /// Takes the edge in where it goes on from here.
    fn takes(&mut self, edge: i64) -> bool {
        if self.count == 1 && edge > self.first {
            self.step = edge - self.first;
        } else if self.count == 1 || edge != self.last() + self.step {
            return false;
        }
        self.count += 1;
        true
    }

    fn iter(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |index| self.first + self.step * index)
    }
}

impl Edges {
    /// Adds an edge; best in ascending order.
    pub(super) fn insert(&mut self, edge: i64) {
        self.is_sorted = false;
        if let Some(run) = self.runs.last_mut()
            && (run.last() == edge || run.takes(edge))
        {
            return;
        }
        self.runs.push(Run::one(edge));
    }

    /// Sorts what came in no order.
    pub(super) fn sort(&mut self) {
        if std::mem::replace(&mut self.is_sorted, true) || self.runs.windows(2).all(|pair| pair[0].last() < pair[1].first) {
            return;
        }
        let mut edges: Vec<i64> = self.runs.iter().flat_map(|run| run.iter()).collect();
        edges.sort_unstable();
        edges.dedup();
        self.runs.clear();
        edges.into_iter().for_each(|edge| self.insert(edge));
        self.is_sorted = true;
    }

    /// The first edge beyond `offset`. Sort first.
    pub(super) fn after(&self, offset: i64) -> Option<i64> {
        let run = self.runs.get(self.runs.partition_point(|run| run.last() <= offset))?;
        let behind = if offset < run.first { 0 } else { (offset - run.first) / run.step.max(1) + 1 };
        Some(run.first + run.step * behind)
    }

    /// The last edge at or before `offset`. Sort first.
    pub(super) fn at_or_before(&self, offset: i64) -> Option<i64> {
        let run = self.runs[..self.runs.partition_point(|run| run.first <= offset)].last()?;
        Some(if offset >= run.last() { run.last() } else { run.first + (offset - run.first) / run.step.max(1) * run.step })
    }

    /// How much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.runs.capacity() * size_of::<Run>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(of: &[i64]) -> Edges {
        let mut edges = Edges::default();
        of.iter().for_each(|edge| edges.insert(*edge));
        edges.sort();
        edges
    }

    #[test]
    fn neighbours_are_found_whatever_the_order_of_arrival() {
        let of = [40, 0, 3, 6, 9, 9, 10, 20, 30, 31, 3];
        let edges = edges(&of);
        for offset in -1..45 {
            assert_eq!(edges.after(offset), of.iter().copied().filter(|edge| *edge > offset).min(), "after {offset}");
            assert_eq!(edges.at_or_before(offset), of.iter().copied().filter(|edge| *edge <= offset).max(), "before {offset}");
        }
        assert_eq!((Edges::default().after(0), Edges::default().at_or_before(0)), (None, None));
    }

    #[test]
    fn a_million_evenly_spaced_edges_take_no_memory_to_speak_of() {
        let edges = edges(&(0..1_000_000).map(|edge| edge * 7).collect::<Vec<_>>());
        assert!(edges.bytes() < 200, "{}", edges.bytes());
        assert_eq!(edges.at_or_before(6_999_999), Some(6_999_993));
    }
}

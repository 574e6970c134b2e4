//! Parsers of bytes from outside, for fuzzers.

/// A parser, whatever it makes of the bytes.
#[derive(Clone, Copy, Debug)]
pub struct FuzzTarget {
    /// What it parses.
    pub name: &'static str,
    /// Parses, and lets go of what it has read. It must not panic, and not take more memory than the bytes are worth.
    pub run: fn(&[u8]),
    /// Bytes that are well formed, to begin with.
    pub seeds: &'static [&'static [u8]],
}

impl FuzzTarget {
    /// Runs with the seeds, with changed seeds and with random bytes, so many rounds: the same ones each time.
    ///
    /// # Panics
    /// Where the parser does.
    pub fn run_with_random_bytes(&self, rounds: usize) {
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let high = usize::try_from(state >> 33).unwrap_or_default();
            high % below.max(1)
        };
        self.seeds.iter().for_each(|seed| (self.run)(seed));
        for round in 0..rounds {
            let mut bytes = match self.seeds.get(round % (self.seeds.len() + 1)) {
                Some(seed) => seed.to_vec(),
                None => vec![0; random(48)],
            };
            let changes = if bytes.iter().any(|byte| *byte != 0) { 1 + random(4) } else { bytes.len() };
            for _ in 0..changes {
                let (at, byte) = (random(bytes.len() + 1), u8::try_from(random(256)).unwrap_or_default());
                match (bytes.get_mut(at), random(8)) {
                    (_, 0) => bytes.truncate(at),
                    (_, 1) | (None, _) => bytes.insert(at.min(bytes.len()), byte),
                    (Some(old), _) => *old = byte,
                }
            }
            (self.run)(&bytes);
        }
    }
}

//! The generator behind Python's `random`: a seed gives the same draws there and here.

const SIZE: usize = 624;
const SHIFT: usize = 397;

/// MT19937, seeded as Python seeds it.
pub(crate) struct Random {
    state: [u32; SIZE],
    next: usize,
}

impl Random {
    /// `random.seed(seed)`, for seeds below 2³².
    pub(crate) fn new(seed: u32) -> Self {
        let mut state = [0_u32; SIZE];
        state[0] = 19_650_218;
        for i in 1..SIZE {
            state[i] = spread(state[i - 1]).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        let mut i = 1;
        let mut step = |state: &mut [u32; SIZE], mix: fn(u32, u32, usize, u32) -> u32| {
            state[i] = mix(state[i], spread(state[i - 1]), i, seed);
            i += 1;
            if i == SIZE {
                state[0] = state[SIZE - 1];
                i = 1;
            }
        };
        for _ in 0..SIZE {
            step(&mut state, |word, before, _, seed| (word ^ before.wrapping_mul(1_664_525)).wrapping_add(seed));
        }
        for _ in 1..SIZE {
            step(&mut state, |word, before, i, _| (word ^ before.wrapping_mul(1_566_083_941)).wrapping_sub(i as u32));
        }
        state[0] = 0x8000_0000;
        Self { state, next: SIZE }
    }

    /// `random.randrange(limit)`.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        let bits = u32::BITS - limit.leading_zeros();
        loop {
            let drawn = self.bits() >> (u32::BITS - bits);
            if drawn < limit {
                return drawn;
            }
        }
    }

    /// True in so many of a thousand cases.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// One of them.
    pub(crate) fn choice<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u32) as usize]
    }

    /// 32 random bits.
    pub(crate) fn bits(&mut self) -> u32 {
        if self.next == SIZE {
            self.twist();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn twist(&mut self) {
        for i in 0..SIZE {
            let joined = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % SIZE] & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % SIZE] ^ (joined >> 1) ^ odd;
        }
        self.next = 0;
    }
}

fn spread(word: u32) -> u32 {
    word ^ (word >> 30)
}

//! Generators: where operations get their streams from.
//!
//! Each device has one generator, a key and a counter. An operation reserves as many counters as it has
//! elements, at the call and so in program order, and takes away a [`Stream`], which is all its kernel needs.
//! Nothing locks. Seeding while another thread reserves is safe; which of the two comes first is open, as it
//! is in the program.
//!
//! **Fork.** There is nothing to repair in a child: it continues from its parent's counters, so parent and
//! child draw the same numbers unless the child seeds itself.

use super::distributions::{normal64, unit64};
use super::philox;
use crate::device::Device;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A range of counters under a key: element `i` of an operation is a function of its stream and `i`.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The key of the generator.
    pub key: [u32; 2],
    /// The first counter.
    pub base: u64,
}

impl Stream {
    /// Four random words: those of the elements `4i` to `4i + 3` where elements take a word each.
    #[inline(always)]
    pub fn block(self, i: u64) -> [u32; 4] {
        self.redraw(i, 0)
    }

    /// Other words in place of [`Stream::block`], for attempts from 1.
    #[inline(always)]
    pub(crate) fn redraw(self, i: u64, attempt: u32) -> [u32; 4] {
        let counter = self.base.wrapping_add(i);
        philox::block([counter as u32, (counter >> 32) as u32, attempt, 0], self.key)
    }

    /// The sub-stream of element `i`, for elements that take a number of words not known before.
    #[inline(always)]
    pub fn element(self, i: u64) -> SubStream {
        let counter = self.base.wrapping_add(i);
        SubStream { key: self.key, counter, next: 0, words: [0; 2], left: 0 }
    }
}

/// An endless sequence of random words that belongs to one element.
///
/// It uses counters whose highest word is 1, which [`Stream::block`] never does.
#[derive(Clone, Debug)]
pub struct SubStream {
    key: [u32; 2],
    counter: u64,
    next: u32,
    words: [u64; 2],
    left: usize,
}

impl SubStream {
    /// The next 64 random bits.
    #[inline(always)]
    pub fn next_u64(&mut self) -> u64 {
        if self.left == 0 {
            let counter = [self.counter as u32, (self.counter >> 32) as u32, self.next, 1];
            let [a, b, c, d] = philox::block(counter, self.key);
            self.words = [join(a, b), join(c, d)];
            self.next = self.next.wrapping_add(1);
            self.left = 2;
        }
        self.left -= 1;
        self.words[1 - self.left]
    }

    /// The next uniform number in `[0, 1)`, in 2^53 steps.
    #[inline(always)]
    pub fn unit(&mut self) -> f64 {
        unit64(self.next_u64())
    }

    /// The next standard normal number.
    #[inline(always)]
    pub fn normal(&mut self) -> f64 {
        normal64(self.next_u64(), self.next_u64())
    }
}

/// A 64-bit word from two 32-bit words of a block.
#[inline(always)]
pub(crate) fn join(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// A source of streams.
#[derive(Debug)]
pub struct Generator {
    device: Device,
    /// Raised before and after each change of the seed: odd while one is under way.
    version: AtomicU64,
    seed: AtomicU64,
    next: AtomicU64,
}

impl Generator {
    /// A generator whose streams depend on the seed and the device.
    pub fn new(seed: u64, device: Device) -> Generator {
        let version = AtomicU64::new(0);
        Generator { device, version, seed: AtomicU64::new(seed), next: AtomicU64::new(0) }
    }

    /// Takes the next `n` counters.
    pub fn reserve(&self, n: u64) -> Stream {
        // A thread that forks may leave a change of the seed unfinished in the child: do not wait for ever.
        let mut patience = 1000;
        loop {
            let version = self.version.load(Ordering::SeqCst);
            let seed = self.seed.load(Ordering::SeqCst);
            let base = self.next.fetch_add(n, Ordering::SeqCst);
            let steady = version % 2 == 0 && self.version.load(Ordering::SeqCst) == version;
            if steady || patience == 0 {
                return Stream { key: key(seed, self.device), base };
            }
            patience -= 1;
            std::hint::spin_loop();
        }
    }

    /// Starts again from the first counter of a seed.
    pub fn seed(&self, seed: u64) {
        self.set_state(seed, 0);
    }

    /// The seed and the next counter, from which [`Generator::set_state`] continues.
    pub fn state(&self) -> (u64, u64) {
        (self.seed.load(Ordering::SeqCst), self.next.load(Ordering::SeqCst))
    }

    /// Continues from what [`Generator::state`] has said.
    pub fn set_state(&self, seed: u64, next: u64) {
        self.version.fetch_add(1, Ordering::SeqCst);
        self.seed.store(seed, Ordering::SeqCst);
        self.next.store(next, Ordering::SeqCst);
        self.version.fetch_add(1, Ordering::SeqCst);
    }
}

/// The key of a seed on a device: different for any two seeds on one device.
fn key(seed: u64, device: Device) -> [u32; 2] {
    let place = (device.kind as u64) << 32 | u64::from(device.id as u32);
    let key = mix(seed ^ mix(place));
    [key as u32, (key >> 32) as u32]
}

/// A bijection that spreads every bit: the finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The seed of devices that are used for the first time. MXNet starts from 0 too.
static GLOBAL_SEED: AtomicU64 = AtomicU64::new(0);

/// The generators of the devices used so far: a list that only grows, so that reading needs no lock.
static FIRST: OnceLock<Box<Node>> = OnceLock::new();

struct Node {
    generator: Generator,
    rest: OnceLock<Box<Node>>,
}

/// The generator of a device.
pub fn generator(device: Device) -> &'static Generator {
    let mut slot = &FIRST;
    loop {
        let node = slot.get_or_init(|| {
            let generator = Generator::new(GLOBAL_SEED.load(Ordering::SeqCst), device);
            Box::new(Node { generator, rest: OnceLock::new() })
        });
        if node.generator.device == device {
            return &node.generator;
        }
        slot = &node.rest;
    }
}

/// Seeds one device, or all devices, those not used yet among them. Equal seeds give different streams on
/// different devices.
pub fn seed(seed: u64, device: Option<Device>) {
    if let Some(device) = device {
        return generator(device).seed(seed);
    }
    GLOBAL_SEED.store(seed, Ordering::SeqCst);
    let mut slot = &FIRST;
    while let Some(node) = slot.get() {
        node.generator.seed(seed);
        slot = &node.rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_follow_each_other_and_a_seed_starts_again() {
        let g = Generator::new(7, Device::cpu(0));
        let (a, b) = (g.reserve(10), g.reserve(5));
        assert_eq!((a.base, b.base), (0, 10));
        let state = g.state();
        let c = g.reserve(1);
        g.set_state(state.0, state.1);
        assert_eq!(g.reserve(1), c);
        g.seed(8);
        assert_ne!(g.reserve(10), a);
        g.seed(7);
        assert_eq!(g.reserve(10), a);
    }

    #[test]
    fn threads_never_get_the_same_counters() {
        let g = Generator::new(0, Device::cpu(0));
        let take = || (0..1000).map(|_| g.reserve(3).base).collect::<Vec<_>>();
        let mut all = std::thread::scope(|s| {
            let threads: Vec<_> = (0..4).map(|_| s.spawn(take)).collect();
            threads.into_iter().flat_map(|t| t.join().unwrap()).collect::<Vec<_>>()
        });
        all.sort_unstable();
        assert!(all.iter().enumerate().all(|(i, b)| *b == 3 * i as u64));
    }

    #[test]
    fn seeding_all_devices_reaches_old_and_new_ones_and_one_device_only_itself() {
        // Devices that no other test uses, because the table is the process's.
        let (a, b, c) = (Device::cpu(9001), Device::cpu(9002), Device::cpu(9003));
        let first = |d| {
            let s = generator(d).reserve(1);
            (s.base, s.key)
        };
        first(a);
        seed(5, None);
        let (ka, kc) = (first(a), first(c));
        assert_eq!((ka.0, kc.0), (0, 0));
        assert_ne!(ka.1, kc.1);
        seed(5, Some(b));
        assert_eq!(first(a), (1, ka.1));
        seed(5, None);
        assert_eq!((first(a), first(c)), (ka, kc));
    }

    #[test]
    fn sub_streams_differ_from_each_other_and_from_blocks() {
        let stream = Stream { key: [1, 2], base: 3 };
        let mut seen = std::collections::HashSet::new();
        for i in 0..100 {
            let [a, b, c, d] = stream.block(i);
            assert!(seen.insert(join(a, b)) && seen.insert(join(c, d)));
            let mut element = stream.element(i);
            assert!((0..10).all(|_| seen.insert(element.next_u64())));
        }
    }
}

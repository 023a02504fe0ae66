//! Places buffers with known lifetimes in one arena.

use super::memory::Buffer;
use crate::storage::pool::ALIGNMENT;
use std::collections::{BTreeMap, BTreeSet};

/// With more buffers than this only the methods that take time in proportion to their number are tried.
const FEW: usize = 2000;

/// Size of a buffer in the arena.
pub fn rounded(bytes: usize) -> usize {
    bytes.div_ceil(ALIGNMENT) * ALIGNMENT
}

/// Gives each buffer that has no room elsewhere its place and returns the size of the arena; without `reuse` no two
/// buffers share memory.
pub fn place(buffers: &mut [Buffer], reuse: bool) -> usize {
    let mut here: Vec<Buffer> = buffers.iter().filter(|b| b.room.is_none()).copied().collect();
    let end = place_all(&mut here, reuse);
    buffers
        .iter_mut()
        .filter(|b| b.room.is_none())
        .zip(here)
        .for_each(|(b, placed)| b.offset = placed.offset);
    end
}

fn place_all(buffers: &mut [Buffer], reuse: bool) -> usize {
    if !reuse {
        let mut end = 0;
        for b in buffers {
            b.offset = end;
            end += rounded(b.bytes);
        }
        return end;
    }
    let mut best = by_time(buffers);
    if buffers.len() <= FEW {
        let other = by_size(buffers);
        if other.0 < best.0 {
            best = other;
        }
    }
    buffers.iter_mut().zip(best.1).for_each(|(b, offset)| b.offset = offset);
    best.0
}

/// Goes through time: a new buffer takes the smallest gap that it fits in.
fn by_time(buffers: &[Buffer]) -> (usize, Vec<usize>) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|i| (buffers[*i].first, std::cmp::Reverse(buffers[*i].bytes)));
    let mut ends: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut gaps = Gaps::default();
    let mut offsets = vec![0; buffers.len()];
    for i in order {
        let b = buffers[i];
        while let Some(end) = ends.first_entry().filter(|e| *e.key() < b.first) {
            for j in end.remove() {
                gaps.free(offsets[j], rounded(buffers[j].bytes));
            }
        }
        offsets[i] = gaps.take(rounded(b.bytes));
        ends.entry(b.last).or_default().push(i);
    }
    (gaps.end, offsets)
}

/// Free pieces of the arena, by place and by size.
#[derive(Default)]
struct Gaps {
    by_place: BTreeMap<usize, usize>,
    by_size: BTreeSet<(usize, usize)>,
    end: usize,
}

impl Gaps {
    fn take(&mut self, size: usize) -> usize {
        if size == 0 {
            return 0;
        }
        let fitting = self.by_size.range((size, 0)..).next().copied();
        if let Some((gap, offset)) = fitting {
            self.remove(offset, gap);
            if gap > size {
                self.insert(offset + size, gap - size);
            }
            return offset;
        }
        // No gap is large enough: the last one grows if it reaches to the end.
        let last = self.by_place.last_key_value().map(|(o, s)| (*o, *s)).filter(|(o, s)| o + s == self.end);
        let offset = last.map_or(self.end, |(offset, gap)| {
            self.remove(offset, gap);
            offset
        });
        self.end = offset + size;
        offset
    }

    fn free(&mut self, mut offset: usize, mut size: usize) {
        if size == 0 {
            return;
        }
        if let Some((o, s)) = self.by_place.range(..offset).next_back().map(|(o, s)| (*o, *s)) {
            if o + s == offset {
                self.remove(o, s);
                (offset, size) = (o, size + s);
            }
        }
        if let Some(s) = self.by_place.get(&(offset + size)).copied() {
            self.remove(offset + size, s);
            size += s;
        }
        self.insert(offset, size);
    }

    fn insert(&mut self, offset: usize, size: usize) {
        self.by_place.insert(offset, size);
        self.by_size.insert((size, offset));
    }

    fn remove(&mut self, offset: usize, size: usize) {
        self.by_place.remove(&offset);
        self.by_size.remove(&(size, offset));
    }
}

/// Goes from large to small: each buffer takes the lowest place that is free during its whole life.
fn by_size(buffers: &[Buffer]) -> (usize, Vec<usize>) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(buffers[*i].bytes), buffers[*i].first));
    let mut placed: Vec<(usize, usize, u32, u32)> = Vec::with_capacity(buffers.len());
    let mut offsets = vec![0; buffers.len()];
    let mut end = 0;
    for i in order {
        let b = buffers[i];
        let size = rounded(b.bytes);
        let mut at = 0;
        // Sorted by place: the first hole between neighbours in time is taken.
        for (from, to, first, last) in &placed {
            if *first <= b.last && b.first <= *last {
                if at + size <= *from {
                    break;
                }
                at = at.max(*to);
            }
        }
        offsets[i] = at;
        end = end.max(at + size);
        let entry = (at, at + size, b.first, b.last);
        let position = placed.partition_point(|p| p.0 <= at);
        placed.insert(position, entry);
    }
    (end, offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(bytes: usize, first: u32, last: u32) -> Buffer {
        Buffer { bytes, first, last, offset: 0, align: 4, room: None }
    }

    fn scattered(count: u32) -> Vec<Buffer> {
        let mut state = 12345u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        (0..count)
            .map(|_| {
                let first = next(100) as u32;
                buffer(next(5000) as usize, first, first + next(30) as u32)
            })
            .collect()
    }

    #[test]
    fn buffers_that_live_at_the_same_time_never_share_memory() {
        for count in [10, 300, 2500] {
            let mut buffers = scattered(count);
            let end = place(&mut buffers, true);
            for (i, a) in buffers.iter().enumerate() {
                assert!(a.offset + a.bytes <= end && a.offset % ALIGNMENT == 0);
                for b in &buffers[..i] {
                    let together = a.first <= b.last && b.first <= a.last;
                    let overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
                    assert!(!(together && overlap), "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn buffers_that_follow_each_other_take_the_same_place() {
        let mut buffers = [buffer(1000, 0, 1), buffer(64, 1, 5), buffer(1000, 2, 3), buffer(900, 4, 6)];
        assert_eq!(place(&mut buffers, true), 1024 + 64);
        assert_eq!(place(&mut buffers, false), 1024 + 64 + 1024 + 960);
    }
}

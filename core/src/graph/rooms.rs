//! The arrays of results are memory too until they are written: an output's in the forward pass, a gradient's in the
//! backward pass. What lives while the arena is fullest moves there.

use super::arena::rounded;
use super::memory::{Buffer, Home};

/// A result's array, as long as it is free.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The result.
    pub home: Home,
    /// Size of the array.
    pub bytes: usize,
    /// The first call that may use it.
    pub first: u32,
    /// The call that first writes the result.
    pub until: u32,
    /// Its elements begin at multiples of so many bytes, no more is known of where.
    pub align: usize,
}

/// With more buffers than this they all stay in the arena.
const FEW: usize = 2000;

/// Moves buffers to rooms as long as that lowers how much of the arena is in use at the fullest.
pub fn move_to_rooms(buffers: &mut [Buffer], rooms: &[Room], calls: usize) {
    if buffers.len() > FEW || rooms.is_empty() {
        return;
    }
    let mut guests: Vec<Vec<Buffer>> = vec![vec![]; rooms.len()];
    loop {
        let (_, call) = fullest(buffers, calls);
        let there = |b: &Buffer| b.room.is_none() && b.first <= call && call <= b.last && b.bytes > 0;
        let mut present: Vec<usize> = (0..buffers.len()).filter(|i| there(&buffers[*i])).collect();
        present.sort_by_key(|i| (std::cmp::Reverse(buffers[*i].bytes), *i));
        let moved = present.iter().find_map(|i| Some((*i, find_room(&buffers[*i], rooms, &guests)?)));
        let Some((i, (room, offset))) = moved else { return };
        (buffers[i].room, buffers[i].offset) = (Some(rooms[room].home), offset);
        guests[room].push(buffers[i]);
        guests[room].sort_by_key(|b| b.offset);
    }
}

/// Most bytes of the arena that are in use at a time, and the call during which they are.
pub fn fullest(buffers: &[Buffer], calls: usize) -> (usize, u32) {
    let mut change = vec![0i64; calls + 1];
    for b in buffers.iter().filter(|b| b.room.is_none()) {
        let bytes = rounded(b.bytes) as i64;
        change[b.first as usize] += bytes;
        change[b.last as usize + 1] -= bytes;
    }
    let (mut live, mut peak) = (0, (0, 0));
    for (n, c) in change.iter().enumerate() {
        live += c;
        if live > peak.0 {
            peak = (live, n as u32);
        }
    }
    (peak.0 as usize, peak.1)
}

/// The smallest room that a buffer fits in, and its place there.
fn find_room(b: &Buffer, rooms: &[Room], guests: &[Vec<Buffer>]) -> Option<(usize, usize)> {
    let fits = |room: &Room| {
        room.bytes >= b.bytes && room.first <= b.first && b.last < room.until && b.align <= room.align
    };
    let open = rooms.iter().enumerate().filter(|(_, room)| fits(room));
    let places = open.filter_map(|(r, room)| {
        let mut at = 0;
        for guest in guests[r].iter().filter(|g| g.first <= b.last && b.first <= g.last) {
            if at + b.bytes <= guest.offset {
                break;
            }
            at = at.max(guest.offset + rounded(guest.bytes));
        }
        (at + b.bytes <= room.bytes).then_some((room.bytes, r, at))
    });
    places.min().map(|(_, r, at)| (r, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(bytes: usize, first: u32, last: u32) -> Buffer {
        Buffer { bytes, first, last, offset: 0, align: 4, room: None }
    }

    fn room(bytes: usize, until: u32, align: usize) -> Room {
        Room { home: Home::Output(0), bytes, first: 0, until, align }
    }

    #[test]
    fn what_lives_at_the_peak_uses_a_result_that_is_not_written_yet() {
        let mut buffers = [buffer(100, 0, 1), buffer(1000, 1, 2), buffer(300, 2, 3)];
        move_to_rooms(&mut buffers, &[room(1000, 3, 4)], 4);
        assert_eq!(buffers.map(|b| b.room.is_some()), [false, true, false]);
    }

    #[test]
    fn a_room_is_left_before_its_result_is_written_and_is_not_misaligned() {
        for room in [room(1000, 2, 4), room(999, 4, 4), room(1000, 4, 2)] {
            let mut buffers = [buffer(1000, 1, 2)];
            move_to_rooms(&mut buffers, &[room], 4);
            assert_eq!(buffers[0].room, None, "{room:?}");
        }
    }

    #[test]
    fn guests_of_a_room_who_are_there_together_lie_apart() {
        let mut buffers = [buffer(100, 0, 2), buffer(120, 1, 3), buffer(90, 3, 4), buffer(10, 0, 4)];
        move_to_rooms(&mut buffers, &[room(260, 9, 4)], 5);
        let guests: Vec<&Buffer> = buffers.iter().filter(|b| b.room.is_some()).collect();
        assert!(guests.len() >= 3);
        for (i, a) in guests.iter().enumerate() {
            assert!(a.offset + a.bytes <= 260);
            for b in &guests[..i] {
                let together = a.first <= b.last && b.first <= a.last;
                assert!(!together || a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset);
            }
        }
    }
}

//! Where one WebSocket frame ends and the next begins (RFC 6455, 5.2).

/// The longest head of a frame: two bytes, eight of length, four of mask.
const MAX_HEAD: usize = 14;

/// Follows a stream of frames without looking into them.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: Vec<u8>,
    /// How much of the present frame's payload is still to come.
    payload: u64,
}

impl Frames {
    /// Says whether a frame ended with the last byte, so that another may be put in.
    pub(super) const fn is_between(&self) -> bool {
        self.head.is_empty() && self.payload == 0
    }

    /// Takes bytes up to the next end of a frame, or all. Gives how many were taken.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            if self.payload > 0 {
                let left = u64::try_from(bytes.len() - taken).unwrap_or(u64::MAX);
                let step = self.payload.min(left);
                self.payload -= step;
                taken += usize::try_from(step).unwrap_or(bytes.len());
            } else {
                self.head.push(bytes[taken]);
                taken += 1;
                if let Some(payload) = payload_of(&self.head) {
                    self.payload = payload;
                    self.head.clear();
                }
            }
            if self.is_between() {
                break;
            }
        }
        taken
    }
}

/// Reads the length of the payload from a whole head. `None` while the head is not whole.
fn payload_of(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (length_bytes, short) = match second & 0x7f {
        126 => (2, 0),
        127 => (8, 0),
        short => (0, u64::from(short)),
    };
    if head.len() < (2 + length_bytes + mask).min(MAX_HEAD) {
        return None;
    }
    let long = head[2..2 + length_bytes].iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
    Some(short + long)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame of so many bytes, masked or not.
    fn frame(length: usize, is_masked: bool) -> Vec<u8> {
        let mut bytes = vec![0x81];
        let mask = if is_masked { 0x80 } else { 0 };
        match length {
            0..126 => bytes.push(mask + u8::try_from(length).expect("short")),
            126..65_536 => {
                bytes.push(mask + 126);
                bytes.extend(u16::try_from(length).expect("short").to_be_bytes());
            }
            _ => {
                bytes.push(mask + 127);
                bytes.extend(u64::try_from(length).expect("short").to_be_bytes());
            }
        }
        bytes.extend(std::iter::repeat_n(0x81, if is_masked { 4 } else { 0 } + length));
        bytes
    }

    proptest! {
        #[test]
        fn ends_are_found_however_the_stream_is_cut(
            frames in prop::collection::vec((prop_oneof![0..300_usize, 65_500..65_600_usize], any::<bool>()), 1..6),
            cuts in prop::collection::vec(1..2000_usize, 1..50),
        ) {
            let frames: Vec<Vec<u8>> = frames.into_iter().map(|(length, masked)| frame(length, masked)).collect();
            let stream = frames.concat();
            let mut follower = Frames::default();
            let (mut at, mut ends) = (0, Vec::new());
            for cut in cuts.iter().cycle() {
                let mut chunk = &stream[at..(at + cut).min(stream.len())];
                while !chunk.is_empty() {
                    let taken = follower.take(chunk);
                    at += taken;
                    chunk = &chunk[taken..];
                    if follower.is_between() {
                        ends.push(at);
                    }
                }
                if at == stream.len() {
                    break;
                }
            }
            let expected: Vec<usize> =
                frames.iter().scan(0, |end, frame| { *end += frame.len(); Some(*end) }).collect();
            prop_assert_eq!(ends, expected);
        }
    }
}

//! One record a line: text in, blocks of whole lines out.

use super::block::{Block, Layout, MAX_RECORD, Sizes, begin};
use super::nested::Stop;
use std::io::Read;

/// Cuts `input` into blocks at line ends. `buffer` gives a buffer to fill, or nothing to stop.
pub(super) fn cut(
    input: &mut dyn Read,
    buffer: &mut dyn FnMut() -> Option<Vec<u8>>,
    emit: &mut dyn FnMut(Block) -> bool,
) -> Result<(), Stop> {
    let mut tail: Vec<u8> = Vec::new();
    let mut line = 1;
    let mut sizes = Sizes::new();
    loop {
        let mut bytes = buffer().ok_or(Stop::Asked)?;
        let mut ends = line_ends(&tail);
        let mut len = begin(&mut bytes, sizes.next(), &mut tail);
        let mut searched = 0;
        let (whole, ended) = loop {
            let asked = bytes.len() - len;
            let n = fill(input, &mut bytes[len..], &mut ends)?;
            len += n;
            if n < asked {
                break (len, true);
            }
            if let Some(end) = memchr::memrchr(b'\n', &bytes[searched..len]) {
                break (searched + end + 1, false);
            }
            // A line longer than the block: give it room, but not without end.
            searched = len;
            if len > MAX_RECORD {
                break (len, false);
            }
            bytes.resize(bytes.len() * 2, 0);
        };
        tail.extend_from_slice(&bytes[whole..len]);
        let endless = whole > MAX_RECORD && bytes[whole - 1] != b'\n';
        let block = Block { bytes, len: whole, line, layout: Layout::Lines, last: ended };
        // The tail is less than a line.
        line += ends;
        if !emit(block) {
            return Err(Stop::Asked);
        }
        if ended {
            return Ok(());
        }
        if endless {
            line += u64::from(skip_line(input, &mut tail)?);
        }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Fills `into` as far as the input goes; counts line ends piece by piece, while a piece is close at hand.
fn fill(input: &mut dyn Read, into: &mut [u8], ends: &mut u64) -> Result<usize, Stop> {
    let mut n = 0;
    while n < into.len() {
        match input.read(&mut into[n..]) {
            Ok(0) => break,
            Ok(more) => {
                *ends += line_ends(&into[n..n + more]);
                n += more;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(n)
}

/// Drops the rest of a line; keeps what was read behind it. Tells whether the line ended.
fn skip_line(input: &mut dyn Read, tail: &mut Vec<u8>) -> Result<bool, Stop> {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let n = fill(input, &mut bytes, &mut 0)?;
        if n == 0 {
            return Ok(false);
        }
        if let Some(end) = memchr::memchr(b'\n', &bytes[..n]) {
            tail.extend_from_slice(&bytes[end + 1..n]);
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::BLOCK;
    use super::*;

    fn blocks(text: &[u8]) -> Vec<(usize, u64, bool)> {
        let mut out = Vec::new();
        let mut input = text;
        let done = cut(&mut input, &mut || Some(Vec::new()), &mut |block| {
            out.push((block.len, block.line, block.last));
            true
        });
        assert!(done.is_ok());
        out
    }

    #[test]
    fn blocks_end_at_line_ends() {
        let line = "x".repeat(999) + "\n";
        let text = line.repeat(BLOCK / 1000 + 10);
        let blocks = blocks(text.as_bytes());
        assert!(blocks.len() > 2);
        assert_eq!(blocks[0].0 % 1000, 0);
        assert_eq!(blocks[1].1, 1 + blocks[0].0 as u64 / 1000);
        assert!(blocks[0].0 < blocks[1].0 && blocks.iter().all(|b| b.0 <= BLOCK));
        assert_eq!(blocks.iter().map(|b| b.0).sum::<usize>(), text.len());
        assert!(blocks.iter().rev().skip(1).all(|b| !b.2) && blocks.last().is_some_and(|b| b.2));
    }

    #[test]
    fn an_endless_line_does_not_fill_memory() {
        let text = "a\n".to_owned() + &"x".repeat(3 * MAX_RECORD) + "\nb\n";
        let blocks = blocks(text.as_bytes());
        assert!(blocks.iter().all(|b| b.0 <= 2 * MAX_RECORD));
        assert_eq!(blocks.last().map(|b| (b.0, b.1)), Some((2, 3)));
    }
}

//! Whether a picture is combed, measured in the picture itself.
//!
//! Where something moves in a combed picture, a line differs from both of its neighbours, which
//! are alike: they are of the other field. In a progressive picture this is as frequent at a
//! distance of two lines as at a distance of one, however fine and noisy the picture is. In a
//! combed picture it is more frequent at a distance of one, because lines at a distance of two
//! are of the same field.

/// The smallest difference between a pixel and the ones above and below it.
const MIN_DIFFERENCE: u8 = 10;
/// A pixel whose value changes by less than this between two pictures does not move.
const MIN_CHANGE: u8 = 15;
/// The smallest fraction of the pixels that move in a picture with motion.
const MIN_MOVING: f64 = 0.0005;
/// How many times as frequent combs are at a distance of one line as at two. The least in combed
/// pictures was 1.37 (a fractal that moves slowly), the most in progressive ones 1.14.
const MIN_RATIO: f64 = 1.25;
/// The smallest fraction of the pixels that move in combs of a combed picture.
const MIN_COMBS: f64 = 0.02;

/// Counts the combed pictures among those with motion, from bytes as they arrive.
#[derive(Debug)]
pub(super) struct CombCounter {
    width: usize,
    height: usize,
    /// Empty at the beginning of a place.
    previous: Vec<u8>,
    unfinished: Vec<u8>,
    /// The number of pictures with motion.
    pub(super) moving: usize,
    /// How many of them are combed.
    pub(super) combed: usize,
}

impl CombCounter {
    /// For grayscale pictures of this size.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            previous: Vec::new(),
            unfinished: Vec::new(),
            moving: 0,
            combed: 0,
        }
    }

    /// The next picture follows no other one.
    pub(super) fn begin(&mut self) {
        self.previous.clear();
        self.unfinished.clear();
    }

    /// Adds bytes of the pictures.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        let size = self.width * self.height;
        while !bytes.is_empty() {
            let missing = (size - self.unfinished.len()).min(bytes.len());
            let (next, rest) = bytes.split_at(missing);
            self.unfinished.extend_from_slice(next);
            bytes = rest;
            if self.unfinished.len() == size {
                let picture = std::mem::take(&mut self.unfinished);
                if !self.previous.is_empty() {
                    self.count(&picture);
                }
                self.unfinished = std::mem::replace(&mut self.previous, picture);
                self.unfinished.clear();
            }
        }
    }

    fn count(&mut self, picture: &[u8]) {
        let width = self.width;
        let (mut moving, mut combs, mut wide_combs) = (0_usize, 0_usize, 0_usize);
        for y in 2..self.height.saturating_sub(2) {
            for i in y * width..(y + 1) * width {
                if picture[i].abs_diff(self.previous[i]) < MIN_CHANGE {
                    continue;
                }
                moving += 1;
                combs += usize::from(is_comb(picture, i, width));
                wide_combs += usize::from(is_comb(picture, i, 2 * width));
            }
        }
        if (moving as f64) < MIN_MOVING * picture.len() as f64 {
            return;
        }
        self.moving += 1;
        let is_combed = combs as f64 > MIN_COMBS * moving as f64
            && combs as f64 > MIN_RATIO * wide_combs as f64;
        self.combed += usize::from(is_combed);
    }
}

/// Whether the pixel differs from those at this distance above and below it, which are alike.
fn is_comb(picture: &[u8], i: usize, distance: usize) -> bool {
    let [above, pixel, below] = [picture[i - distance], picture[i], picture[i + distance]];
    let least = pixel.abs_diff(above).min(pixel.abs_diff(below));
    let is_between = (above > pixel) != (below > pixel);
    !is_between && least > MIN_DIFFERENCE && above.abs_diff(below) < least / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts pictures of 64 × 64 pixels, whose brightness depends on the number of the picture, the
    /// column and the line.
    fn count(brightness: impl Fn(usize, usize, usize) -> u8) -> (usize, usize) {
        let mut counter = CombCounter::new(64, 64);
        let mut bytes = Vec::new();
        for n in 0..9 {
            for y in 0..64 {
                bytes.extend((0..64).map(|x| brightness(n, x, y)));
            }
        }
        // A pipe gives any number of bytes.
        for part in bytes.chunks(1000) {
            counter.push(part);
        }
        (counter.moving, counter.combed)
    }

    fn bar(from: usize, x: usize) -> u8 {
        if (from..from + 12).contains(&x) {
            200
        } else {
            40
        }
    }

    #[test]
    fn a_moving_bar_is_combed_if_its_fields_are_of_different_times() {
        assert_eq!(count(|n, x, _| bar(6 * n, x)), (8, 0));
        assert_eq!(count(|n, x, y| bar(6 * n + 3 * (y % 2), x)), (8, 8));
        assert_eq!(count(|n, x, y| bar(6 * n + 3 - 3 * (y % 2), x)), (8, 8));
    }

    #[test]
    fn still_pictures_and_lines_show_nothing() {
        assert_eq!(count(|_, x, _| bar(6, x)), (0, 0));
        assert_eq!(count(|_, _, y| if y % 2 == 0 { 200 } else { 40 }), (0, 0));
    }

    #[test]
    fn noise_is_not_combed() {
        let noise = |n: usize, x: usize, y: usize| {
            let mut hash = n * 4096 + y * 64 + x;
            for _ in 0..3 {
                hash = (hash ^ hash >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            }
            u8::try_from(hash >> 56).unwrap()
        };
        assert_eq!(count(noise), (8, 0));
    }

    #[test]
    fn two_of_five_pictures_of_a_converted_film_are_combed() {
        let film = |n: usize, x: usize, y: usize| {
            // The pictures of the film that the two fields show.
            let fields = [[0, 0], [1, 1], [1, 2], [2, 3], [3, 3]];
            bar(16 * (n / 5) + 4 * fields[n % 5][y % 2], x)
        };
        let (moving, combed) = count(film);
        assert!(moving >= 7 && combed < moving / 2 + 1, "{moving} {combed}");
    }
}

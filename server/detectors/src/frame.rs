//! A picture, and everything that is measured on it once.

use image::imageops::FilterType;
use image::{GrayImage, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// Longest side that is decoded; WebRTC's largest common picture.
pub const PICTURE_SIDE_MAX: u32 = 1_920;
/// A VP8 key frame of that size at its worst.
pub const PICTURE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Faces are looked for at this width; larger costs more than it finds (640 px: 2.4 times the time of 320).
const FACE_WIDTH: u32 = 320;
/// The small picture that removes a sensor's noise.
const GRID: (u32, u32) = (32, 24);
/// The picture that two frames are compared on.
const COMPARED: (u32, u32) = (64, 48);
/// A difference hash has 8 x 8 comparisons of neighbours.
const HASHED: (u32, u32) = (9, 8);

/// Why a picture cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// More than [`PICTURE_BYTES_MAX`]
    #[error("the picture has more than {PICTURE_BYTES_MAX} bytes")]
    TooLarge,
    /// Not a WebP, JPEG or PNG picture, or one with a side over [`PICTURE_SIDE_MAX`]
    #[error("this is no WebP, JPEG or PNG picture of at most {PICTURE_SIDE_MAX} pixels a side")]
    Undecodable(#[source] image::ImageError),
}

/// A picture in gray, as faces are looked for in it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its number at the source
    pub number: u64,
    /// When it was taken, in milliseconds on the caller's clock
    pub taken_ms: i64,
    /// At most 320 pixels wide
    pub gray: GrayImage,
    /// What was measured
    pub look: Look,
}

/// Figures of one picture.
#[derive(Clone, PartialEq, Debug)]
pub struct Look {
    /// Mean brightness, 0 ..= 255
    pub mean: f32,
    /// Standard deviation of the 32 x 24 thumbnail: an even surface has almost none, whatever the sensor's noise
    pub grid_deviation: f32,
    /// Variance of the Laplacian: sharpness
    pub sharpness: f32,
    /// Difference hash
    pub hash: u64,
    /// 64 x 48, to compare two pictures by
    compared: Vec<u8>,
}

impl Frame {
    /// Decodes a WebP, JPEG or PNG picture and measures it.
    ///
    /// # Errors
    /// [`FrameError`]; nothing large is allocated for it.
    pub fn decode(number: u64, taken_ms: i64, bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > PICTURE_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|error| refused(error.into()))?;
        if !matches!(reader.format(), Some(ImageFormat::WebP | ImageFormat::Jpeg | ImageFormat::Png)) {
            let unknown = image::error::ImageFormatHint::Unknown;
            return Err(refused(image::ImageError::Unsupported(unknown.into())));
        }
        let mut limits = Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(PICTURE_SIDE_MAX), Some(PICTURE_SIDE_MAX));
        reader.limits(limits);
        let gray = reader.decode().map_err(refused)?.into_luma8();
        Ok(Self::new(number, taken_ms, gray))
    }

    /// Measures a decoded picture.
    #[must_use]
    pub fn new(number: u64, taken_ms: i64, gray: GrayImage) -> Self {
        let gray = match gray.dimensions() {
            (width, height) if width > FACE_WIDTH => {
                let height = (height * FACE_WIDTH / width).max(1);
                image::imageops::resize(&gray, FACE_WIDTH, height, FilterType::Triangle)
            }
            _ => gray,
        };
        let look = Look::of(&gray);
        Self { number, taken_ms, gray, look }
    }
}

fn refused(error: image::ImageError) -> FrameError {
    FrameError::Undecodable(error)
}

impl Look {
    fn of(gray: &GrayImage) -> Self {
        let small = |(width, height)| image::imageops::resize(gray, width, height, FilterType::Triangle);
        let (mean, _) = spread(gray.as_raw());
        let (_, grid_deviation) = spread(small(GRID).as_raw());
        Self {
            mean,
            grid_deviation,
            sharpness: sharpness(gray),
            hash: difference_hash(&small(HASHED)),
            compared: small(COMPARED).into_raw(),
        }
    }

    /// Mean difference of two pictures' pixels, 0 ..= 255.
    #[must_use]
    pub fn difference(&self, other: &Self) -> f32 {
        let pairs = self.compared.iter().zip(&other.compared);
        let sum: u64 = pairs.map(|(one, two)| u64::from(one.abs_diff(*two))).sum();
        ratio(sum, self.compared.len())
    }

    /// Bits in which the difference hashes differ, 0 ..= 64.
    #[must_use]
    pub fn hash_distance(&self, other: &Self) -> u32 {
        (self.hash ^ other.hash).count_ones()
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of bytes over at most two million pixels")]
fn ratio(sum: u64, count: usize) -> f32 {
    sum as f32 / count.max(1) as f32
}

/// Mean and standard deviation.
fn spread(values: &[u8]) -> (f32, f32) {
    let sum: u64 = values.iter().map(|value| u64::from(*value)).sum();
    let squares: u64 = values.iter().map(|value| u64::from(*value) * u64::from(*value)).sum();
    let mean = ratio(sum, values.len());
    let variance = (ratio(squares, values.len()) - mean * mean).max(0.0);
    (mean, variance.sqrt())
}

/// Variance of the four-neighbour Laplacian over the inner pixels.
fn sharpness(gray: &GrayImage) -> f32 {
    let width = gray.width() as usize;
    let rows: Vec<&[u8]> = gray.as_raw().chunks_exact(width.max(1)).collect();
    let (mut sum, mut squares, mut count) = (0_i64, 0_u64, 0_usize);
    for three in rows.windows(3) {
        let [above, row, below] = three else { continue };
        for x in 1..width.saturating_sub(1) {
            let around = [above[x], below[x], row[x - 1], row[x + 1]];
            let value = around.iter().map(|pixel| i64::from(*pixel)).sum::<i64>() - 4 * i64::from(row[x]);
            sum += value;
            squares += (value * value).unsigned_abs();
            count += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 1,020 a pixel over at most two million pixels")]
    let mean = sum as f32 / count.max(1) as f32;
    (ratio(squares, count) - mean * mean).max(0.0)
}

fn difference_hash(small: &GrayImage) -> u64 {
    let rows = small.as_raw().chunks_exact(HASHED.0 as usize);
    let brighter = rows.flat_map(|row| row.windows(2)).map(|pair| u64::from(pair[0] < pair[1]));
    brighter.fold(0, |hash, bit| hash << 1 | bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Luma;

    fn stripes(phase: u32) -> GrayImage {
        GrayImage::from_fn(320, 240, |x, _| {
            Luma([if ((x + phase) / 20).is_multiple_of(2) { 220 } else { 40 }])
        })
    }

    #[test]
    fn an_even_picture_has_no_deviation_and_no_sharpness() {
        let look = Frame::new(1, 0, GrayImage::from_pixel(320, 240, Luma([90]))).look;
        assert!((look.mean - 90.0).abs() < 0.01);
        assert!(look.grid_deviation < 0.01);
        assert!(look.sharpness < 0.01);
    }

    #[test]
    fn equal_pictures_do_not_differ_and_moved_ones_do() {
        let (one, same, moved) =
            (Frame::new(1, 0, stripes(0)), Frame::new(2, 0, stripes(0)), Frame::new(3, 0, stripes(10)));
        assert!(one.look.difference(&same.look).abs() < f32::EPSILON);
        assert_eq!(one.look.hash_distance(&same.look), 0);
        assert!(one.look.difference(&moved.look) > 20.0);
    }

    #[test]
    fn a_large_picture_is_looked_at_320_pixels_wide() {
        let frame = Frame::new(1, 0, GrayImage::new(1_280, 720));
        assert_eq!(frame.gray.dimensions(), (320, 180));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for bytes in [&b""[..], b"GIF89a", b"RIFF\x10\0\0\0WEBPVP8 ", &[0xff; 64]] {
            assert!(matches!(Frame::decode(1, 0, bytes), Err(FrameError::Undecodable(_))));
        }
        assert!(matches!(Frame::decode(1, 0, &vec![0; PICTURE_BYTES_MAX + 1]), Err(FrameError::TooLarge)));
    }

    #[test]
    fn a_one_pixel_picture_is_measured() {
        let look = Frame::new(1, 0, GrayImage::from_pixel(1, 1, Luma([7]))).look;
        assert!((look.mean - 7.0).abs() < 0.01);
    }
}

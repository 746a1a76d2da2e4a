//! What a virtual camera sees before the exam.

/// A small real picture of one shade, as JPEG.
pub(crate) fn photo(shade: u8) -> anyhow::Result<Vec<u8>> {
    let picture = image::RgbImage::from_pixel(64, 48, image::Rgb([shade, 120, 160]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg)?;
    Ok(bytes.into_inner())
}

/// The orientation that a file's EXIF data give, 1 to 8; 1 where there are none or they make no sense.
///
/// EXIF data are a small TIFF file: in the segment APP1 of a JPEG file, the chunk `eXIf` of a PNG file, the chunk
/// `EXIF` of a WebP file.
func exifOrientation(of format: ImageFormat, _ bytes: UnsafeRawBufferPointer) -> Int {
    let body =
        switch format {
        case .jpeg: exifInJPEG(bytes)
        case .png: exifInPNG(bytes)
        case .webp: exifInWebP(bytes)
        }
    guard var body else { return 1 }
    // JPEG's segments begin so; some writers put it into the other formats' chunks too.
    if body.starts(with: exifPrefix) { body = slice(body, exifPrefix.count, body.count) }
    guard let orientation = TIFFReader(bytes: body).orientation, (1...8).contains(orientation)
    else { return 1 }
    return orientation
}

private let exifPrefix = Array("Exif\0\0".utf8)

private func exifInJPEG(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var at = 2
    while at + 4 <= bytes.count, bytes[at] == 0xFF {
        let marker = bytes[at + 1]
        // A marker may be preceded by any number of these.
        guard marker != 0xFF else {
            at += 1
            continue
        }
        guard marker != 0xDA, marker != 0xD9 else { return nil }
        let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
        guard length >= 2, length <= bytes.count - at - 2 else { return nil }
        let body = slice(bytes, at + 4, at + 2 + length)
        if marker == 0xE1, body.starts(with: exifPrefix) { return body }
        at += 2 + length
    }
    return nil
}

private func exifInPNG(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var at = 8
    while let length = integer(bytes, at: at, size: 4, isBigEndian: true),
        length <= bytes.count - at - 12
    {
        let name = slice(bytes, at + 4, at + 8)
        if name.elementsEqual("eXIf".utf8) { return slice(bytes, at + 8, at + 8 + length) }
        if name.elementsEqual("IEND".utf8) { return nil }
        at += 12 + length
    }
    return nil
}

private func exifInWebP(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var at = 12
    while let length = integer(bytes, at: at + 4, size: 4, isBigEndian: false),
        length <= bytes.count - at - 8
    {
        if slice(bytes, at, at + 4).elementsEqual("EXIF".utf8) {
            return slice(bytes, at + 8, at + 8 + length)
        }
        at += 8 + length + length % 2
    }
    return nil
}

private func slice(
    _ bytes: UnsafeRawBufferPointer,
    _ start: Int,
    _ end: Int
) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[start..<end])
}

/// The unsigned integer at an offset, or nil where the bytes end before it does.
private func integer(
    _ bytes: UnsafeRawBufferPointer,
    at offset: Int,
    size: Int,
    isBigEndian: Bool
) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    return (0..<size).reduce(0) { sum, i in
        sum << 8 | Int(bytes[offset + (isBigEndian ? i : size - 1 - i)])
    }
}

/// Reads the first directory of the TIFF structure inside EXIF data.
private struct TIFFReader {
    let bytes: UnsafeRawBufferPointer

    var orientation: Int? {
        guard bytes.count >= 8, let directory = value(at: 4, size: 4), directory <= bytes.count,
            let count = value(at: directory, size: 2)
        else { return nil }
        for entry in 0..<count {
            let at = directory + 2 + entry * 12
            guard let tag = value(at: at, size: 2), let type = value(at: at + 2, size: 2) else {
                return nil
            }
            guard tag == 0x0112 else { continue }
            // A short is stored in the first two of the four bytes of the value; some writers use a long.
            return value(at: at + 8, size: type == 4 ? 4 : 2)
        }
        return nil
    }

    private func value(at offset: Int, size: Int) -> Int? {
        integer(bytes, at: offset, size: size, isBigEndian: bytes[0] == 0x4D)
    }
}

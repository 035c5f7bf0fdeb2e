extension Image {
    /// Returns the picture turned and mirrored as one of EXIF's orientations asks.
    ///
    /// - Parameter orientation: 1 to 8 as in EXIF's tag 0x0112; other values leave the picture as it is.
    /// - Returns: The picture as it is to be seen.
    public func oriented(_ orientation: Int) -> Image {
        guard (2...8).contains(orientation) else { return self }
        let swapsSides = orientation >= 5
        let newHeight = swapsSides ? width : height
        let newWidth = swapsSides ? height : width
        return Image.filled(height: newHeight, width: newWidth, channels: channels) { buffer in
            pixels.withUnsafeBufferPointer { source in
                for y in 0..<newHeight {
                    for x in 0..<newWidth {
                        let (fromY, fromX) =
                            switch orientation {
                            case 2: (y, width - 1 - x)
                            case 3: (height - 1 - y, width - 1 - x)
                            case 4: (height - 1 - y, x)
                            case 5: (x, y)
                            case 6: (height - 1 - x, y)
                            case 7: (height - 1 - x, width - 1 - y)
                            default: (x, width - 1 - y)
                            }
                        let to = (y * newWidth + x) * channels
                        let from = (fromY * width + fromX) * channels
                        for c in 0..<channels { buffer[to + c] = source[from + c] }
                    }
                }
            }
        }
    }
}

/// The EXIF orientation of a JPEG file, 1 where it has none or the data makes no sense.
func exifOrientation(ofJPEG bytes: UnsafeRawBufferPointer) -> Int {
    var at = 2
    while at + 4 <= bytes.count, bytes[at] == 0xFF {
        let marker = bytes[at + 1]
        guard marker != 0xDA, marker != 0xD9 else { return 1 }
        let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
        guard length >= 2, length <= bytes.count - at - 2 else { return 1 }
        let body = UnsafeRawBufferPointer(rebasing: bytes[(at + 4)..<(at + 2 + length)])
        if marker == 0xE1, body.starts(with: Array("Exif\0\0".utf8)) {
            return TIFFReader(bytes: UnsafeRawBufferPointer(rebasing: body[6...])).orientation ?? 1
        }
        at += 2 + length
    }
    return 1
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
            guard let tag = value(at: at, size: 2) else { return nil }
            // A short is stored in the first two of the four bytes of the value.
            if tag == 0x0112 { return value(at: at + 8, size: 2) }
        }
        return nil
    }

    private func value(at offset: Int, size: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        let isBigEndian = bytes[0] == 0x4D
        return (0..<size).reduce(0) { sum, i in
            sum << 8 | Int(bytes[offset + (isBigEndian ? i : size - 1 - i)])
        }
    }
}

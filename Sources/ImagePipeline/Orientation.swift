extension Image {
    /// Returns the image turned and mirrored as one of EXIF's orientations asks.
    ///
    /// - Parameter orientation: 1 to 8 as in EXIF's tag 0x0112; other values leave the image as it is.
    /// - Returns: The image as it is to be seen.
    public func oriented(_ orientation: Int) -> Image {
        guard (2...8).contains(orientation) else { return self }
        let swapsSides = orientation >= 5
        let newHeight = swapsSides ? width : height
        let newWidth = swapsSides ? height : width
        let last = height * width - 1
        // Where the first new pixel comes from, and how far apart its right and its lower neighbour are there.
        let (start, toRight, toBelow) =
            switch orientation {
            case 2: (width - 1, -1, width)
            case 3: (last, -1, -width)
            case 4: (last - width + 1, 1, -width)
            case 5: (0, width, 1)
            case 6: (last - width + 1, -width, 1)
            case 7: (last, -width, -1)
            default: (width - 1, width, -1)
            }
        return Image.filled(height: newHeight, width: newWidth, channels: channels) { buffer in
            pixels.withUnsafeBufferPointer { source in
                var to = 0
                for y in 0..<newHeight {
                    var from = (start + y * toBelow) * channels
                    for _ in 0..<newWidth {
                        for c in 0..<channels { buffer[to + c] = source[from + c] }
                        to += channels
                        from += toRight * channels
                    }
                }
            }
        }
    }
}

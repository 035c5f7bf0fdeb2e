/// What an image file says of itself in its headers, without being decoded.
///
/// It promises nothing of the rest of the file, which may be cut short or damaged.
public struct ImageFileTraits: Sendable, Equatable {
    /// The format, detected from the content.
    public let format: ImageFormat
    /// How the image is to be turned, 1 to 8 as in EXIF's tag 0x0112; 1 is upright.
    public let orientation: Int
    /// Whether the samples are the four inks of print, cyan, magenta, yellow and black.
    public let isCMYK: Bool
    /// Whether a sample has more than eight bits, of which only the high ones are used.
    public let isDeep: Bool
    /// Whether there is transparency, which is dropped.
    public let hasAlpha: Bool

    /// Reads the headers of a file; nil when it is neither JPEG, PNG nor WebP.
    ///
    /// - Parameter bytes: The whole file.
    public init?(bytes: UnsafeRawBufferPointer) {
        guard let format = ImageFormat(bytes: bytes) else { return nil }
        self.format = format
        orientation = exifOrientation(of: format, bytes)
        isCMYK = format == .jpeg && Self.componentsOfJPEG(bytes) == 4
        // A PNG's first chunk: its length and name, width and height, depth, colour type.
        let isPNG = format == .png && bytes.count > 25
        isDeep = isPNG && bytes[24] == 16
        hasAlpha =
            isPNG && (bytes[25] & 4 != 0)
            || format == .webp && bytes.count > 20 && bytes[12..<16].elementsEqual("VP8X".utf8)
                && bytes[20] & 0x10 != 0
    }

    /// Reads the headers of a file held in an array; nil when it is neither JPEG, PNG nor WebP.
    ///
    /// - Parameter bytes: The whole file.
    public init?(_ bytes: [UInt8]) {
        guard let traits = bytes.withUnsafeBytes(ImageFileTraits.init(bytes:)) else { return nil }
        self = traits
    }

    /// The colour components that a JPEG's frame header announces; nil where there is none.
    private static func componentsOfJPEG(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var at = 2
        while at + 4 <= bytes.count {
            guard bytes[at] == 0xFF else { return nil }
            let marker = bytes[at + 1]
            guard marker != 0xFF else {
                at += 1
                continue
            }
            // Frames of every coding; C4, C8 and CC are tables.
            if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) {
                return at + 9 < bytes.count ? Int(bytes[at + 9]) : nil
            }
            guard marker != 0xDA, marker != 0xD9 else { return nil }
            at += 2 + (Int(bytes[at + 2]) << 8 | Int(bytes[at + 3]))
        }
        return nil
    }
}

/// An image file format, detected from the first bytes and not from the name.
public enum ImageFormat: String, Sendable, Equatable, Codable, CaseIterable {
    /// JPEG, baseline and progressive.
    case jpeg
    /// PNG, all colour types and depths.
    case png
    /// WebP, lossy and lossless.
    case webp

    /// The format's usual name.
    public var name: String {
        switch self {
        case .jpeg: "JPEG"
        case .png: "PNG"
        case .webp: "WebP"
        }
    }

    /// Tells the format of a file from its first bytes; `nil` when it is none of the known ones.
    ///
    /// - Parameter bytes: The file, or at least its first 12 bytes.
    public init?(bytes: UnsafeRawBufferPointer) {
        func matches(_ text: [UInt8], at offset: Int) -> Bool {
            guard bytes.count >= offset + text.count else { return false }
            return text.indices.allSatisfy { bytes[offset + $0] == text[$0] }
        }
        if matches([0xFF, 0xD8, 0xFF], at: 0) {
            self = .jpeg
        } else if matches([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], at: 0) {
            self = .png
        } else if matches(Array("RIFF".utf8), at: 0), matches(Array("WEBP".utf8), at: 8) {
            self = .webp
        } else {
            return nil
        }
    }

    /// The name of a common unsupported format, for a helpful error.
    static func foreignName(of bytes: UnsafeRawBufferPointer) -> String? {
        func has(_ text: String, at offset: Int = 0) -> Bool {
            let text = Array(text.utf8)
            guard bytes.count >= offset + text.count else { return false }
            return text.indices.allSatisfy { bytes[offset + $0] == text[$0] }
        }
        if has("GIF87a") || has("GIF89a") { return "GIF" }
        if has("II*\0") || has("MM\0*") { return "TIFF" }
        if has("ftyp", at: 4) {
            if has("avif", at: 8) || has("avis", at: 8) { return "AVIF" }
            if ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"].contains(where: {
                has($0, at: 8)
            }) {
                return "HEIF"
            }
        }
        if has("BM"), bytes.count >= 26, bytes[6] | bytes[7] | bytes[8] | bytes[9] == 0 {
            return "BMP"
        }
        if has("<svg") { return "SVG" }
        return nil
    }
}

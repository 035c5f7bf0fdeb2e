import Foundation

/// Writes grey PNG files without a library, for folders of images that tests make.
enum TinyPNG {
    /// An image whose samples all have one value.
    static func data(height: Int, width: Int, value: UInt8) -> Data {
        let samples = [UInt8](repeating: value, count: height * width)
        return data(height: height, width: width, samples: samples)
    }

    /// An image of given samples; a file may claim another size than it has, and how it is to be turned.
    static func data(
        height: Int,
        width: Int,
        samples: [UInt8],
        claimedSide: Int? = nil,
        orientation: UInt8 = 1
    ) -> Data {
        let raw = (0..<height).flatMap { [0] + samples[($0 * width)..<(($0 + 1) * width)] }
        let size = UInt16(raw.count)
        // One stored block: no compression.
        var stream: [UInt8] = [0x78, 0x01, 1]
        stream += [UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)]
        stream += raw + big(adler(raw))
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let (claimedWidth, claimedHeight) = (claimedSide ?? width, claimedSide ?? height)
        file += chunk(
            "IHDR",
            big(UInt32(claimedWidth)) + big(UInt32(claimedHeight)) + [8, 0, 0, 0, 0]
        )
        if orientation != 1 {
            // A TIFF header and a directory of one entry.
            let exif: [UInt8] = [
                0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0,
                0,
            ]
            file += chunk("eXIf", exif + [0, 0, 0, 0])
        }
        file += chunk("IDAT", stream) + chunk("IEND", [])
        return Data(file)
    }

    private static func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
        big(UInt32(data.count)) + kind.utf8 + data + big(crc(kind.utf8 + data))
    }

    private static func big(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
    }

    private static func adler(_ bytes: [UInt8]) -> UInt32 {
        let sums = bytes.reduce(into: (a: UInt32(1), b: UInt32(0))) { sums, byte in
            sums.a = (sums.a + UInt32(byte)) % 65_521
            sums.b = (sums.b + sums.a) % 65_521
        }
        return sums.b << 16 | sums.a
    }

    static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in
                crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1
            }
        }
    }
}

extension URL {
    /// Writes a file below a folder; the folders on the way are made.
    func write(_ data: Data, to path: String) throws {
        let file = appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try data.write(to: file)
    }

    /// Writes a small grey image below a folder.
    func writeImage(_ path: String, value: UInt8 = 100, height: Int = 3, width: Int = 4) throws {
        try write(TinyPNG.data(height: height, width: width, value: value), to: path)
    }
}

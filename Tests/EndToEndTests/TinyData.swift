import Foundation

/// Images made up for tests: a class is told by which part of the image is bright.
enum TinyData {
    static let side = 8

    /// The pixels of an image: noise, and a bright bar whose row tells the class.
    static func pixels(label: Int, index: Int) -> [UInt8] {
        var state = UInt32(truncatingIfNeeded: index &* 2_654_435_761 &+ label &+ 1)
        return (0..<(side * side)).map { place in
            state = state &* 1_664_525 &+ 1_013_904_223
            let noise = Int(state >> 26)
            return UInt8(place / side == label % side ? 190 + noise : noise)
        }
    }

    /// Writes IDX files: labels run through the classes in turn.
    static func writeIDX(to folder: URL, train: Int, validation: Int, classes: Int = 4) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (prefix, count, offset) in [("train", train, 0), ("t10k", validation, 0)] {
            var images = header(0x803, [count, side, side])
            var labels = header(0x801, [count])
            for index in 0..<count {
                images.append(contentsOf: pixels(label: index % classes, index: index + offset))
                labels.append(UInt8(index % classes))
            }
            try images.write(to: folder.appending(path: "\(prefix)-images-idx3-ubyte"))
            try labels.write(to: folder.appending(path: "\(prefix)-labels-idx1-ubyte"))
        }
    }

    /// Writes a folder of PNG files: `train/CLASS/0.png`, `val/CLASS/0.png`.
    static func writeFolders(to folder: URL, classes: [String], train: Int, validation: Int) throws
    {
        for (split, count) in [("train", train), ("val", validation)] {
            for (label, name) in classes.enumerated() {
                let place = folder.appending(path: "\(split)/\(name)")
                try FileManager.default.createDirectory(
                    at: place,
                    withIntermediateDirectories: true
                )
                for index in 0..<count {
                    try png(pixels(label: label, index: index)).write(
                        to: place.appending(path: "\(index).png")
                    )
                }
            }
        }
    }

    private static func header(_ magic: Int, _ sizes: [Int]) -> Data {
        var data = Data()
        for value in [magic] + sizes { append(UInt32(value), to: &data) }
        return data
    }

    private static func append(_ value: UInt32, to data: inout Data) {
        withUnsafeBytes(of: value.bigEndian) { data.append(contentsOf: $0) }
    }

    // MARK: - PNG, uncompressed

    /// A grey image; with an orientation, 1 to 8, in its EXIF data.
    static func png(_ pixels: [UInt8], orientation: UInt8? = nil) -> Data {
        var raw: [UInt8] = []
        for row in 0..<side { raw += [0] + pixels[(row * side)..<((row + 1) * side)] }
        var file = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        var size = Data()
        append(UInt32(side), to: &size)
        append(UInt32(side), to: &size)
        file.append(chunk("IHDR", size + [8, 0, 0, 0, 0]))
        if let orientation {
            let tiff: [UInt8] = [
                0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0,
                0, 0, 0, 0, 0,
            ]
            file.append(chunk("eXIf", Data(tiff)))
        }
        let length = UInt16(raw.count)
        var stream = Data([0x78, 0x01, 0x01])
        for value in [length, ~length] {
            withUnsafeBytes(of: value.littleEndian) { stream.append(contentsOf: $0) }
        }
        stream.append(contentsOf: raw)
        append(adler(raw), to: &stream)
        file.append(chunk("IDAT", stream))
        file.append(chunk("IEND", Data()))
        return file
    }

    private static func chunk(_ name: String, _ content: Data) -> Data {
        var data = Data()
        append(UInt32(content.count), to: &data)
        let body = Data(name.utf8) + content
        data.append(body)
        append(crc(Array(body)), to: &data)
        return data
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = (value >> 1) ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~value
    }

    private static func adler(_ bytes: [UInt8]) -> UInt32 {
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return b << 16 | a
    }
}

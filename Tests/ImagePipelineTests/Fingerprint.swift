import ImagePipeline

/// The fingerprint of an image's samples, as `Tools/parity/fingerprints.py` makes it of Pillow's.
func fingerprint(_ image: Image) -> String {
    image.pixels.withUnsafeBytes(fingerprint)
}

/// The sum of the 8-byte words, each times an odd number that its place decides, modulo 2^64.
func fingerprint(_ bytes: UnsafeRawBufferPointer) -> String {
    var sum: UInt64 = 0
    var place: UInt64 = 0
    var at = 0
    while at < bytes.count {
        var word: UInt64 = 0
        if at + 8 <= bytes.count {
            word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        } else {
            for i in at..<bytes.count { word |= UInt64(bytes[i]) << UInt64(8 * (i - at)) }
        }
        place &+= 0x9E37_79B9_7F4A_7C15
        var z = (place ^ (place >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        sum &+= word &* ((z ^ (z >> 31)) | 1)
        at += 8
    }
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

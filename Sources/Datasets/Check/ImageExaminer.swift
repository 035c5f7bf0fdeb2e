import ImagePipeline

/// What is kept of an image that was checked: some 40 bytes.
struct ImageFacts: Sendable {
    /// A number that equal files share; 0 where nothing could be read.
    var content: UInt64 = 0
    /// What the image looks like; see ``PerceptualHash``.
    var bits: UInt64 = 0
    var width: Int32 = 0
    var height: Int32 = 0
    var format: ImageFormat?
    /// Whether the image was decoded.
    var isDecoded = false
    /// Whether ``bits`` identifies it: it was decoded and is not blank.
    var canBeCompared = false
}

/// Looks at images one by one.
struct ImageExaminer: Sendable {
    /// Files larger than this are not read.
    static let byteLimit = 1 << 29

    let dataset: any ImageDataset
    /// The part of the data, as findings name it.
    let part: Int
    /// Where thumbnails are kept, and the place of the part's first.
    let store: ThumbnailStore
    let offset: Int

    /// What was found at one image.
    struct Result: Sendable {
        var facts = ImageFacts()
        var findings: [Finding] = []
    }

    /// Looks at one image.
    func examine(_ index: Int) -> Result {
        var facts = ImageFacts()
        var findings: [Finding] = []
        func report(_ kind: FindingKind, _ detail: String) {
            let item = Finding.Item(part: part, index: index)
            findings.append(Finding(kind: kind, images: [item], detail: detail))
        }
        do throws(ImageError) {
            if let size = dataset.filePath(at: index).flatMap(fileSize), size > Self.byteLimit {
                report(.oversized, "the file has \(size >> 20) MiB")
                return Result(facts: facts, findings: findings)
            }
            let bytes = try dataset.fileBytes(at: index)
            if let bytes {
                facts.content = ContentHash.of(bytes)
                examineHeaders(bytes, index, &facts, report)
            }
            let image = try decode(bytes, index)
            if bytes == nil { facts.content = ContentHash.of(image.pixels) }
            facts.isDecoded = true
            (facts.width, facts.height) = (Int32(image.width), Int32(image.height))
            if let odd = Self.oddity(width: image.width, height: image.height) {
                report(.oddSize, odd)
            }
            let hash = try PerceptualHash(image)
            facts.bits = hash.bits
            if hash.isBlank { report(.blank, "it has a single colour") }
            facts.canBeCompared =
                !hash.isBlank && store.write(hash.thumbnail, at: offset + index)
        } catch {
            report(Self.kind(of: error), error.reason)
        }
        return Result(facts: facts, findings: findings)
    }

    private func decode(_ bytes: [UInt8]?, _ index: Int) throws(ImageError) -> Image {
        guard let bytes else { return try dataset.image(at: index) }
        return try Image(decoding: bytes)
    }

    private func examineHeaders(
        _ bytes: [UInt8],
        _ index: Int,
        _ facts: inout ImageFacts,
        _ report: (FindingKind, String) -> Void
    ) {
        guard let traits = ImageFileTraits(bytes) else { return }
        facts.format = traits.format
        if let ending = fileExtension(dataset.name(at: index)), let named = Self.formats[ending],
            named != traits.format
        {
            report(.misnamed, "its extension is .\(ending), its format \(traits.format.name)")
        }
        if traits.isCMYK { report(.cmyk, "it is CMYK") }
        if traits.orientation != 1 {
            report(.rotated, "EXIF asks to \(Self.turns[traits.orientation - 1])")
        }
    }

    private static let formats: [String: ImageFormat] = [
        "jpg": .jpeg, "jpeg": .jpeg, "png": .png, "webp": .webp,
    ]

    private static let turns = [
        "leave it", "mirror it", "rotate it by 180°", "flip it", "mirror and rotate it",
        "rotate it right", "flip and rotate it", "rotate it left",
    ]

    private static func oddity(width: Int, height: Int) -> String? {
        let (short, long) = (min(width, height), max(width, height))
        let size = ImageSize(height: height, width: width)
        if short < 8 { return "\(size) is very small" }
        if long > 10 * short { return "\(size) is very narrow" }
        if width * height > 50_000_000 { return "\(size) takes long to decode" }
        return nil
    }

    private static func kind(of error: ImageError) -> FindingKind {
        switch error {
        case .truncated: .truncated
        case .corrupt, .unsupported: .damaged
        case .tooLarge: .oversized
        default: .unreadable
        }
    }
}

/// A number for bytes, equal for equal ones; bytes with the same number are then compared.
enum ContentHash {
    /// Mixes eight bytes at a time.
    static func of(_ bytes: [UInt8]) -> UInt64 {
        var state = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
        func mix(_ word: UInt64) {
            let product = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
            state = product.high ^ product.low &+ 0xE703_7ED1_A0B4_28DB
        }
        bytes.withUnsafeBytes { raw in
            let whole = raw.count / 8 * 8
            for start in stride(from: 0, to: whole, by: 8) {
                mix(raw.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            }
            mix(raw[whole...].reduce(1) { $0 << 8 | UInt64($1) })
        }
        // 0 says that there was nothing to read.
        return max(1, state)
    }
}

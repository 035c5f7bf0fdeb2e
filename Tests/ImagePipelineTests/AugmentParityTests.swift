import Foundation
import ImagePipeline
import TestSupport
import Testing

/// Every operation with given parameters, compared with Pillow, timm and torchvision by fingerprints: equal ones mean
/// that no byte differs.
@Suite(.tags(.parity)) struct AugmentParityTests {
    /// All cases on noise in odd shapes: a single pixel, lines, sizes below the filters' reach, in colour and grey.
    @Test func oddShapes() throws {
        let fixtures = try AugmentFixtures.load()
        let lines = try AugmentFixtures.lines(of: "odd.txt")
        #expect(lines.count == 22)
        for line in lines {
            let size = line.prefix(3).compactMap { Int($0) }
            try #require(size.count == 3 && line.count == 3 + fixtures.cases.count)
            let image = try AugmentFixtures.madeUp(
                height: size[0],
                width: size[1],
                channels: size[2]
            )
            for (index, example) in fixtures.cases.enumerated() {
                let result = try example.applied(to: image, fill: fixtures.fill)
                #expect(
                    fingerprint(result) == line[3 + index],
                    "\(example.description) of \(size) differs from Pillow's"
                )
            }
        }
    }

    /// A mirrored border, as torchvision's `pad` with `reflect`.
    @Test func mirroredBorders() throws {
        for example in try AugmentFixtures.load().reflections {
            let image = try AugmentFixtures.madeUp(
                height: example.height,
                width: example.width,
                channels: example.channels
            )
            let result = try image.reflected(by: example.border)
            #expect(result.height == example.height + 2 * example.border)
            #expect(fingerprint(result) == example.pixels)
            for border in [-1, min(example.height, example.width), Int.max] {
                #expect(throws: ImageError.self) { try image.reflected(by: border) }
            }
        }
    }

    /// Every width, because pixels are mirrored several at a time.
    @Test func mirrorsEveryWidth() throws {
        for channels in [1, 3] {
            for width in 1...40 {
                let image = try AugmentFixtures.madeUp(height: 3, width: width, channels: channels)
                let mirrored = image.flippedHorizontally()
                for y in 0..<3 {
                    for x in 0..<width {
                        for c in 0..<channels {
                            let place = (y * width + x) * channels + c
                            let other = (y * width + width - 1 - x) * channels + c
                            #expect(mirrored.pixels[place] == image.pixels[other])
                        }
                    }
                }
            }
        }
    }

    /// 500 photographs, each through a dozen of the cases; one in ten is grey.
    @Test(.needsShared("data/imagenet-500"))
    func photographs() async throws {
        let fixtures = try AugmentFixtures.load()
        let lines = try AugmentFixtures.lines(of: "photographs.txt")
        #expect(lines.count == 500)
        let folder = try #require(Checkout.sharedFile("data/imagenet-500"))
        let differences = try await inParallel(lines.count) { i in
            let line = lines[i]
            try #require(line.count == 1 + fixtures.stride)
            var image = try fixtures.photograph(line[0], size: i, in: folder)
            if i % 10 == 9 { image = try image.converted(toChannels: 1) }
            return try (0..<fixtures.stride).compactMap { k in
                let example = fixtures.cases[(i * fixtures.stride + k) % fixtures.cases.count]
                let result = try example.applied(to: image, fill: fixtures.fill)
                return fingerprint(result) == line[1 + k]
                    ? nil : "\(line[0]): \(example.description)"
            }
        }
        #expect(differences.isEmpty, "\(differences.count) of 6000: \(differences.prefix(20))")
    }

    /// What timm's RandAugment and AutoAugment drew for each photograph, carried out here.
    @Test(.needsShared("data/imagenet-500"))
    func chains() async throws {
        let fixtures = try AugmentFixtures.load()
        let lines = try AugmentFixtures.lines(of: "chains.txt")
        #expect(lines.count == 500)
        let folder = try #require(Checkout.sharedFile("data/imagenet-500"))
        let differences = try await inParallel(lines.count) { i in
            let line = lines[i]
            try #require(line.count > 2)
            var image = try fixtures.photograph(line[0], size: i - i % 10, in: folder)
            for text in line.dropFirst(2) {
                let parts = text.split(separator: ",", omittingEmptySubsequences: false)
                try #require(parts.count == 3)
                let operation = try #require(AugmentOperation(rawValue: String(parts[0])))
                let argument = try #require(Double(parts[1]))
                let interpolation = Interpolation(rawValue: String(parts[2])) ?? .bicubic
                image.augment(
                    AugmentStep(operation, argument: argument, interpolation: interpolation),
                    fill: fixtures.fill
                )
            }
            return fingerprint(image) == line[1] ? [] : [line.joined(separator: " ")]
        }
        #expect(differences.isEmpty, "\(differences.count) of 500: \(differences.prefix(20))")
    }

    private func inParallel(
        _ count: Int,
        _ body: @escaping @Sendable (Int) throws -> [String]
    ) async throws -> [String] {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for part in 0..<4 {
                group.addTask {
                    try stride(from: part, to: count, by: 4).flatMap { try body($0) }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}

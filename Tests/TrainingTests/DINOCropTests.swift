import Foundation
import ImagePipeline
import Testing

@testable import Training

/// What DINO does to images, by distributions: of every view the operations, their probabilities and their ranges.
@Suite struct DINOCropTests {
    private static let count = 600

    /// Two large crops and two small ones of pixels from 0 to 1.
    private func crops(_ change: (inout TrainingOptions) -> Void = { _ in }) throws -> MultiCrop {
        var options = TrainingOptions.defaults(of: .dino)
        options.localCropsNumber = 2
        change(&options)
        let processor = try ImageProcessor.whole(
            height: 16,
            width: 16,
            channels: 3,
            mean: [0, 0, 0],
            std: [1, 1, 1]
        )
        return try DINOCrops.transform(options, globalSize: 16, localSize: 8, processor)
    }

    /// Only what the closure turns on happens, and large crops are the whole image.
    private func alone(_ change: (inout TrainingOptions) -> Void) throws -> MultiCrop {
        try crops { options in
            options.flip = 0
            options.colorJitterProb = 0
            options.grayscaleProb = 0
            options.globalBlurProb = nil
            options.localBlurProb = 0
            options.solarizeProb = 0
            options.globalCropsScale = [1, 1]
            change(&options)
        }
    }

    /// The share of images in whose views something shows.
    private func shares(
        _ crops: MultiCrop,
        _ image: Image,
        where shows: (ArraySlice<Float>) -> Bool
    ) throws -> [Double] {
        var counts = [Int](repeating: 0, count: crops.crops.count)
        var row = [Float](repeating: 0, count: crops.count)
        for index in 0..<Self.count {
            var generator = SplitMix64(seed: 3, epoch: 1, index: index, view: 0)
            try row.withUnsafeMutableBufferPointer { output in
                try crops.write(image, into: output, using: &generator)
            }
            for (view, range) in crops.ranges.enumerated() where shows(row[range]) {
                counts[view] += 1
            }
        }
        return counts.map { Double($0) / Double(Self.count) }
    }

    /// Expects shares within five standard deviations; 0 and 1 exactly.
    private func expectShares(_ found: [Double], _ wanted: [Double], _ what: Comment) throws {
        try #require(found.count == wanted.count)
        for (share, probability) in zip(found, wanted) {
            let deviation = (probability * (1 - probability) / Double(Self.count)).squareRoot()
            #expect(abs(share - probability) <= 5 * deviation, what)
        }
    }

    private func plain(_ red: UInt8, _ green: UInt8, _ blue: UInt8) throws -> Image {
        try Image(
            height: 16,
            width: 16,
            channels: 3,
            pixels: (0..<256).flatMap { _ in [red, green, blue] }
        )
    }

    // MARK: - Probabilities

    @Test func `half of the crops are mirrored`() throws {
        let pixels = (0..<256).flatMap { place in
            [UInt8](repeating: UInt8(place % 16 * 16), count: 3)
        }
        let image = try Image(height: 16, width: 16, channels: 3, pixels: pixels)
        let found = try shares(alone { $0.flip = 0.5 }, image) { view in
            // The first row ends darker than it begins.
            let side = view.count == 768 ? 16 : 8
            let row = view.prefix(side)
            return row[row.startIndex] > row[row.endIndex - 1]
        }
        try expectShares(found, [0.5, 0.5, 0.5, 0.5], "mirrored")
    }

    @Test func `colours change in four of five crops`() throws {
        let image = try plain(100, 150, 200)
        let found = try shares(alone { $0.colorJitterProb = 0.8 }, image) { view in
            let first = view.startIndex
            let plane = view.count / 3
            let colours = [0, 1, 2].map { view[first + $0 * plane] * 255 }
            return zip(colours, [100, 150, 200] as [Float]).contains { abs($0 - $1) > 0.5 }
        }
        // All four changes together may be too small to show: seldom.
        #expect(found.allSatisfy { $0 <= 0.8 + 5 * 0.0164 && $0 >= 0.8 - 6 * 0.0164 }, "\(found)")
    }

    @Test func `one crop of five is grey`() throws {
        let image = try plain(10, 150, 240)
        let found = try shares(alone { $0.grayscaleProb = 0.2 }, image) { view in
            let plane = view.count / 3
            return view[view.startIndex] == view[view.startIndex + plane]
        }
        try expectShares(found, [0.2, 0.2, 0.2, 0.2], "grey")
    }

    @Test func `the first large crop is blurred, the second seldom, small ones half of the time`()
        throws
    {
        let defaults = TrainingOptions.defaults(of: .dino)
        let pixels = (0..<256).flatMap { place in
            [UInt8](repeating: (place / 16 + place) % 2 == 0 ? 0 : 255, count: 3)
        }
        let image = try Image(height: 16, width: 16, channels: 3, pixels: pixels)
        let found = try shares(
            alone {
                $0.globalBlurProb = defaults.globalBlurProb
                $0.localBlurProb = defaults.localBlurProb
                $0.localCropsScale = [1, 1]
                $0.localCropsNumber = 0
            },
            image
        ) { $0.contains { $0 != 0 && $0 != 1 } }
        try expectShares(found, [1, 0.1], "blurred")
        // A small crop of a whole image is resized, so its blur is seen in an image of its own size.
        let small = try alone {
            $0.localBlurProb = defaults.localBlurProb
            $0.localCropsScale = [1, 1]
        }
        let square = try Image(
            height: 8,
            width: 8,
            channels: 3,
            pixels: (0..<64).flatMap { place in
                [UInt8](repeating: (place / 8 + place) % 2 == 0 ? 0 : 255, count: 3)
            }
        )
        let local = try shares(small, square) { $0.contains { $0 != 0 && $0 != 1 } }
        try expectShares(Array(local.suffix(2)), [0.5, 0.5], "blurred small crops")
    }

    @Test func `only the second large crop is solarised, one of five`() throws {
        let probability = TrainingOptions.defaults(of: .dino).solarizeProb
        let found = try shares(alone { $0.solarizeProb = probability }, plain(200, 200, 200)) {
            $0.allSatisfy { abs($0 * 255 - 55) < 0.5 }
        }
        try expectShares(found, [0, 0.2, 0, 0], "solarised")
    }

    // MARK: - Areas and shapes

    /// The largest distance of a sample's distribution from one that is wanted.
    private func distance(_ sample: [Double], _ distribution: (Double) -> Double) -> Double {
        let sorted = sample.sorted()
        let count = Double(sorted.count)
        return sorted.enumerated().map { index, value in
            let wanted = distribution(value)
            return max(abs(wanted - Double(index) / count), abs(wanted - Double(index + 1) / count))
        }.max() ?? 1
    }

    private func regions(_ crops: MultiCrop, view: Int) throws -> [Region] {
        let operation = try #require(crops.crops[view].operations.first)
        guard case .randomResizedCrop(let crop) = operation else { return [] }
        return (0..<2000).map { index in
            var generator = SplitMix64(seed: 5, epoch: 0, index: index, view: view)
            return crop.region(height: 2000, width: 2000, using: &generator)
        }
    }

    @Test func `small crops keep 5 to 40 percent of the area, evenly, of even shapes`() throws {
        let found = try regions(crops(), view: 2)
        try #require(found.count == 2000)
        let areas = found.map { Double($0.height * $0.width) / 4e6 }
        let shapes = found.map { log(Double($0.width) / Double($0.height)) / log(4.0 / 3) }
        // Kolmogorov's test at one in a thousand.
        let limit = 1.95 / 2000.0.squareRoot()
        #expect(distance(areas) { min(max(($0 - 0.05) / 0.35, 0), 1) } < limit)
        #expect(distance(shapes) { min(max(($0 + 1) / 2, 0), 1) } < limit)
        let tops = found.map { Double($0.top) / Double(2000 - $0.height) }
        #expect(distance(tops) { min(max($0, 0), 1) } < limit)
    }

    @Test func `large crops keep 40 to 100 percent, as far as their shape fits`() throws {
        for view in [0, 1] {
            let found = try regions(crops(), view: view)
            let areas = found.map { Double($0.height * $0.width) / 4e6 }
            let limit = 1.95 / 2000.0.squareRoot()
            // Of an area above 3/4 only shapes fit that are nearer to a square: -ln(area) / ln(4/3) of them.
            func share(_ area: Double) -> Double { min(1, -log(area) / log(4.0 / 3)) }
            let grid = (0...6000).map { 0.4 + Double($0) * 1e-4 }
            var sums = [0.0]
            for area in grid { sums.append(sums[sums.count - 1] + share(min(area, 1))) }
            let total = sums[sums.count - 1]
            #expect(
                distance(areas) { sums[min(max(Int(($0 - 0.4) * 1e4), 0), 6000)] / total } < limit
            )
        }
    }

    // MARK: - What is drawn from

    @Test func `the operations and their ranges are those of DINO's code`() throws {
        let all = try crops().crops
        try #require(all.count == 4)
        let jitter = ColorJitter(
            brightness: 0.4,
            contrast: 0.4,
            saturation: 0.2,
            hue: 0.1,
            probability: 0.8
        )
        for (view, crop) in all.enumerated() {
            let scale = view < 2 ? 0.4...1 : 0.05...0.4
            let side = view < 2 ? 16 : 8
            var wanted: [ImageOperation] = [
                .randomResizedCrop(
                    RandomResizedCrop(
                        height: side,
                        width: side,
                        scale: scale,
                        interpolation: .bicubic
                    )
                ), .horizontalFlip(probability: 0.5), .colorJitter(jitter),
                .grayscale(probability: 0.2),
                .gaussianBlur(GaussianBlur(probability: [1, 0.1, 0.5, 0.5][view])),
            ]
            if view == 1 { wanted.append(.solarize(Solarize(probability: 0.2))) }
            #expect(crop.operations == wanted, "view \(view)")
        }
        #expect(GaussianBlur().deviation == [0.1, 2])
        #expect(Solarize().threshold == 128)
    }

    @Test func `any number and size of crops, each with chance of its own`() throws {
        let many = try crops {
            $0.globalCropsNumber = 3
            $0.localCropsNumber = 5
        }
        #expect(many.shapes.map { $0[1] } == [16, 16, 16, 8, 8, 8, 8, 8])
        let few = try crops { $0.localCropsNumber = 0 }
        #expect(few.shapes.count == 2)
        let image = try Image(
            height: 20,
            width: 24,
            channels: 3,
            pixels: (0..<1440).map { UInt8(truncatingIfNeeded: $0 * 37) }
        )
        func row(_ crops: MultiCrop) throws -> [Float] {
            var row = [Float](repeating: 0, count: crops.count)
            var generator = SplitMix64(seed: 1)
            try row.withUnsafeMutableBufferPointer {
                try crops.write(image, into: $0, using: &generator)
            }
            return row
        }
        // The large crops do not change with the small ones that follow.
        let (one, other) = (try row(few), try row(crops()))
        #expect(one == Array(other.prefix(few.count)))
        #expect(other[few.ranges[0]] != other[few.ranges[1]])
    }

    @Test func `small crops have whole patches`() {
        var options = TrainingOptions.defaults(of: .dino)
        #expect(DINOCrops.localSize(options, globalSize: 224, patch: 16) == 96)
        #expect(DINOCrops.localSize(options, globalSize: 224, patch: nil) == 96)
        #expect(DINOCrops.localSize(options, globalSize: 32, patch: 4) == 12)
        #expect(DINOCrops.localSize(options, globalSize: 8, patch: 8) == 8)
        options.localCropsSize = 40
        #expect(DINOCrops.localSize(options, globalSize: 224, patch: 16) == 40)
    }
}

import Checkpoints
import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing
import Torch
import VisionModels

@testable import Evaluation

/// Foreground, and labels that are carried from frame to frame.
@ModelActor @Suite struct SegmentationTests {
    /// A frame of a film: a red disc and a blue square that move over a mottled ground, and their labels.
    static func frame(
        _ number: Int,
        height: Int = 240,
        width: Int = 320
    ) throws -> (frame: Image, mask: Image) {
        var generator = SplitMix64(seed: 5)
        let mottles = (0..<(31 * 41)).map { _ in generator.uniform(40, 200) }
        var (pixels, labels): ([UInt8], [UInt8]) = ([], [])
        for y in 0..<height {
            for x in 0..<width {
                let ground = mottles[y / 8 * 41 + x / 8]
                let (dy, dx) = (Double(y - 70 - 3 * number), Double(x - 60 - 12 * number))
                let isDisc = dy * dy + dx * dx < 38 * 38
                let isSquare = abs(y - 170 + 2 * number) < 34 && abs(x - 250 + 10 * number) < 34
                let stripe = (x / 6 + y / 6) % 2 == 0 ? 25.0 : 0
                let color =
                    isDisc
                    ? [210 - stripe, 40, 40]
                    : isSquare ? [40, 60, 200 + stripe] : [ground * 0.8, ground, ground * 0.7]
                pixels += color.map { UInt8(min(max($0, 0), 255)) }
                labels.append(isDisc ? 1 : isSquare ? 2 : 0)
            }
        }
        return (
            try Image(height: height, width: width, channels: 3, pixels: pixels),
            try Image(height: height, width: width, channels: 1, pixels: labels)
        )
    }

    @Test(.needsShared("data/deit_tiny_patch16_224.safetensors"))
    func labelsFollowMovingShapes() throws {
        let file = try #require(
            Checkout.sharedFile("data/deit_tiny_patch16_224.safetensors")
        )
        let loaded = try ModelDirectory.load(file.path)
        let reader = try AttentionReader(loaded, rollout: nil)
        let viewer = try ImageViewer(
            reader,
            Predictor(loaded),
            size: ViewingSize(.own, for: reader.configuration, memoryLimit: 1 << 31)
        )
        let first = try Self.frame(0)
        var film = try FilmLabels(
            viewer,
            frame: first.frame,
            mask: LabelMask(first.mask),
            shorterSide: 320,
            LabelPropagation.Options()
        )
        #expect(film.lostLabels == 0)
        var overlaps: [Double] = []
        for number in 1...4 {
            let (frame, mask) = try Self.frame(number)
            let found = try film.next(frame)
            let both = try found.overlap(with: found.reading(mask))
            overlaps += both.dropFirst().compactMap { $0 }
        }
        try #require(overlaps.count == 8)
        let mean = overlaps.reduce(0, +) / 8
        #expect(mean > 0.7, "intersection over union of the objects: \(overlaps)")
        #expect(throws: EvaluationError.self) {
            try film.next(Self.frame(0, height: 240, width: 328).frame)
        }
    }

    @Test func twoKindsOfPatchesAreCutApart() throws {
        let grid = PatchGrid(height: 6, width: 8)
        var generator = SplitMix64(seed: 9)
        let inside = (0..<48).map { (1...3).contains($0 / 8) && (2...5).contains($0 % 8) }
        let values = inside.flatMap { isInside in
            (0..<8).map { i in
                Float((i < 4) == isInside ? 1 : 0) + Float(generator.normal()) * 0.05
            }
        }
        let cut = try NormalizedCut(Tensor(values, shape: [48, 8]), grid: grid)
        #expect(cut.mask == inside)
        #expect(inside[cut.seed])
        let single = try NormalizedCut(Tensor.ones([1, 8]), grid: PatchGrid(height: 1, width: 1))
        #expect(single.mask == [true])
        let equal = try NormalizedCut(Tensor.ones([48, 8]), grid: grid)
        #expect(equal.values.allSatisfy { $0.isFinite })
        #expect(throws: EvaluationError.self) {
            try NormalizedCut(Tensor.ones([47, 8]), grid: grid)
        }
    }

    @Test func onlyTouchingPatchesArePartOfAnObject() {
        let grid = PatchGrid(height: 2, width: 4)
        let mask = [true, true, false, true, false, true, false, true]
        let left = [true, true, false, false, false, true, false, false]
        #expect(ConnectedPatches.part(of: mask, around: 5, grid) == left)
        #expect(ConnectedPatches.part(of: mask, around: 2, grid).allSatisfy { !$0 })
    }

    @Test func masksKeepTheirColours() throws {
        let pixels: [UInt8] = [0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0, 0]
        let image = try Image(height: 2, width: 2, channels: 3, pixels: pixels)
        let mask = try LabelMask(image)
        #expect(mask.labelCount == 3 && mask.hasBackground)
        #expect(mask.labels == [0, 2, 1, 0])
        #expect(try mask.image() == image)
        #expect(try mask.overlap(with: mask) == [1, 1, 1])
        let other = try mask.reading(
            Image(
                height: 2,
                width: 2,
                channels: 3,
                pixels: [0, 0, 0, 128, 0, 0, 0, 0, 0, 128, 0, 0]
            )
        )
        #expect(try mask.overlap(with: other) == [1.0 / 3, 0, 0.5])
        let grey = try Image(height: 1, width: 3, channels: 1, pixels: [0, 2, 1])
        #expect(try LabelMask(grey).image() == grey)
        // One colour only, and a photograph.
        let flat = try Image(height: 1, width: 2, channels: 1, pixels: [4, 4])
        #expect(throws: EvaluationError.self) { try LabelMask(flat) }
        var generator = SplitMix64(seed: 1)
        let noise = (0..<(40 * 40 * 3)).map { _ in UInt8(generator.integer(below: 256)) }
        let photo = try Image(height: 40, width: 40, channels: 3, pixels: noise)
        #expect(throws: EvaluationError.self) { try LabelMask(photo) }
    }

    @Test func framesGetDINOsSizes() {
        let davis = FilmLabels.size(480, 854, shorterSide: 480, patch: 16)
        #expect(davis == (480, 832))
        #expect(FilmLabels.size(854, 480, shorterSide: 480, patch: 8) == (832, 480))
        #expect(FilmLabels.size(480, 480, shorterSide: 480, patch: 16) == (480, 448))
        #expect(FilmLabels.size(10, 10, shorterSide: 28, patch: 7) == (28, 28))
        #expect(FilmLabels.size(10, 10, shorterSide: 3, patch: 16) == (16, 16))
    }
}

import Checkpoints
import Foundation
import ImagePipeline
import Inference
import TestSupport
import Testing
import Torch
import VisionModels

@testable import Evaluation

/// What a transformer attends to against timm, NumPy, TokenCut and DINO.
///
/// The reference of attention is float64; timm's own float32 is within 9e-7 of it (see the manifest).
@Suite("Attention against its sources", .tags(.parity))
@ModelActor
struct AttentionParityTests {
    static let weights = "data/deit_tiny_patch16_224.safetensors"

    private func load() throws -> LoadedModel {
        let file = try #require(Checkout.sharedFile(Self.weights))
        return try ModelDirectory.load(file.path)
    }

    /// The input that `make_attention.py` computes by the same formula.
    private func wide() throws -> Tensor {
        let (height, width) = (208, 288)
        let values = (0..<3).flatMap { c in
            (0..<height).flatMap { y in
                (0..<width).map { x in
                    let (row, column) = (Double(y), Double(x))
                    return Float(
                        sin(row * 0.05 + column * 0.03 + Double(c))
                            + cos(row * column * 0.002 - Double(c))
                    )
                }
            }
        }
        return try Tensor(values, shape: [1, 3, height, width])
    }

    private func golden() throws -> Tensor {
        let file = try #require(Checkout.sharedFile("data/golden/0.npy"))
        let data = try Data(contentsOf: file)
        let bytes = data.suffix(4 * 3 * 224 * 224)
        let values = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        return try Tensor(values, shape: [1, 3, 224, 224])
    }

    private func input(_ name: String) throws -> Tensor {
        try name == "wide" ? wide() : golden()
    }

    @Test(
        "Attention of the class token, the mask, features",
        .needsShared(weights, "data/golden/0.npy"),
        arguments: ["wide", "golden"]
    )
    func attention(name: String) throws {
        let expected = try fixture("attention")
        let reader = try AttentionReader(load(), rollout: nil)
        let reading = try reader(input(name))
        let token = try #require(reading.tokens.first)
        #expect(reading.tokens.count == 1 && token.name == .cls && token.rollout == nil)
        try #require(token.heads.count == 3)
        let found = token.heads.flatMap(\.values)
        // Absolute, as attention is at most 1.
        expectClose(found, try expected.floats("\(name).attention"), tolerance: 1e-5, scale: 1)
        let mask = token.heads.flatMap { $0.mask(keeping: 0.6) }.map { Int64($0 ? 1 : 0) }
        #expect(try mask == expected.integers("\(name).mask"))

        let components = try PrincipalComponents(of: reading.features)
        let variances = components.variances.map { Float($0) }
        expectClose(variances, try expected.floats("\(name).variances"), tolerance: 1e-4)
        let places = try components.project(reading.features).flatMap { $0 }
        expectClose(places, try expected.floats("\(name).places"), tolerance: 1e-3)
    }

    @Test("Attention of an earlier block", .needsShared(weights, "data/golden/0.npy"))
    func earlierBlock() throws {
        let reader = try AttentionReader(load(), block: 5, rollout: nil)
        let found = try reader(golden()).tokens.flatMap { $0.heads.flatMap(\.values) }
        let expected = try fixture("attention").floats("golden.block5")
        expectClose(found, expected, tolerance: 1e-5, scale: 1)
    }

    @Test(
        "Rollout",
        .needsShared(weights, "data/golden/0.npy"),
        arguments: ["wide", "golden"],
        [(AttentionRollout.Fusion.mean, 0.0), (.max, 0.9), (.min, 0)]
    )
    func rollout(name: String, way: (AttentionRollout.Fusion, Double)) throws {
        let rollout = try AttentionRollout(fusion: way.0, discardRatio: way.1)
        let reading = try AttentionReader(load(), rollout: rollout)(input(name))
        let map = try #require(reading.tokens.first?.rollout)
        let expected = try fixture("attention").floats("\(name).rollout.\(way.0.rawValue)")
        // A weight at the border of what is discarded may fall on its other side.
        expectClose(map.values, expected, tolerance: way.1 > 0 ? 1e-3 : 1e-4)
    }

    @Test("TokenCut's cut of the same features")
    func cut() throws {
        let expected = try fixture("attention")
        let features = try expected.tensor("labels.features").selected(0, 0)
        let grid = PatchGrid(height: 9, width: 12)
        let cut = try NormalizedCut(features, grid: grid)
        try expectSameCut(cut, expected, "small", tolerance: 1e-5)
        // Its object is the part around the seed, where the corners do not turn it over.
        let part = ConnectedPatches.part(of: cut.mask, around: cut.seed, grid)
        let mask = try expected.integers("small.cut.mask")
        if try !isTurned(cut, expected, "small") {
            #expect(part.map { Int64($0 ? 1 : 0) } == mask)
        }
    }

    @Test(
        "TokenCut's cut of a real model's keys",
        .needsShared(weights, "data/golden/0.npy"),
        arguments: ["wide", "golden"]
    )
    func realCut(name: String) throws {
        let reading = try AttentionReader(load(), rollout: nil)(input(name))
        let cut = try NormalizedCut(reading.keys, grid: reading.grid)
        // float32's cosines are on the other side of the threshold for a few of the 38,000 pairs.
        try expectSameCut(cut, fixture("attention"), name, tolerance: 2e-2)
    }

    private func centred(_ expected: Fixture, _ name: String) throws -> [Float] {
        let vector = try expected.floats("\(name).cut")
        let mean = vector.reduce(0, +) / Float(vector.count)
        let length = vector.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }.squareRoot()
        return vector.map { ($0 - mean) / length }
    }

    /// Whether the corners turned foreground and background over.
    private func isTurned(_ cut: NormalizedCut, _ expected: Fixture, _ name: String) throws -> Bool
    {
        let other = try centred(expected, name)
        try #require(other.count == cut.values.count)
        return cut.values.indices.reduce(0) { $0 + cut.values[$1] * other[$1] } < 0
    }

    private func expectSameCut(
        _ cut: NormalizedCut,
        _ expected: Fixture,
        _ name: String,
        tolerance: Float
    ) throws {
        let isTurned = try isTurned(cut, expected, name)
        let values = isTurned ? cut.values.map { -$0 } : cut.values
        expectClose(values, try centred(expected, name), tolerance: tolerance, name)
        if !isTurned {
            let seed = try expected.integers("\(name).cut.seed")
            #expect(seed == [Int64(cut.seed)])
        }
    }

    @Test("Labels carried as DINO's code carries them")
    func labels() throws {
        let expected = try fixture("attention")
        let features = try expected.tensor("labels.features")
        let first = try expected.tensor("labels.first")
        let (labels, patches) = try first.shape2()
        let all = try first.floats()
        var propagation = try LabelPropagation(
            features.selected(0, 0),
            labels: (0..<labels).map { Array(all[($0 * patches)..<(($0 + 1) * patches)]) },
            grid: PatchGrid(height: 9, width: 12),
            LabelPropagation.Options(lastFrames: 3, neighborhood: 3, topK: 5)
        )
        let frames = try expected.tensor("labels.frames")
        for frame in 0..<frames.shape[0] {
            let soft = try propagation.next(features.selected(0, frame + 1))
            #expect(soft.count == labels)
            expectClose(
                soft.flatMap { $0 },
                try frames.selected(0, frame).floats(),
                tolerance: 1e-5,
                "frame \(frame + 1)"
            )
        }
    }
}

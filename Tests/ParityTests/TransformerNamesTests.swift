import Digests
import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Every name of timm's vision transformers: made as timm makes it, or on the list of those that are not.
@Suite("timm's vision transformers by name", .tags(.parity))
@ModelActor
struct TransformerNamesTests {
    /// A line of the list: weights, or an architecture without any.
    struct Record: Decodable, Sendable {
        let name: String
        let module: String
        let parameters: Int
        let sha256: String
        let numClasses: Int
        let inputSize: [Int]
        let fixedInputSize: Bool
        let mean: [Float]
        let std: [Float]
        let interpolation: String
        let cropPct: Double
        let cropMode: String
        let license: String?
        let hfHubId: String?
        let url: String?

        var architecture: String { String(name.prefix { $0 != "." }) }
    }

    nonisolated static func records() throws -> [Record] {
        let file = fixtures.appending(path: "timm_vits/names.json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode([Record].self, from: Data(contentsOf: file))
    }

    /// Why names are not made.
    nonisolated static func reason(_ record: Record) -> String? {
        let kind = record.architecture.replacing("_qkvb", with: "")
        switch record.module {
        case "eva" where kind.hasSuffix("_dinov3") || kind.hasSuffix("_lingbot"): return nil
        case "eva": return "EVA's blocks, or rotary positions of another kind than DINOv3's"
        case "vision_transformer_hybrid": return "a convolutional stem"
        case "vision_transformer_relpos": return "relative positions"
        default: break
        }
        let architectures = [
            "vit_dlittle_": "differential attention", "vit_dwee_": "differential attention",
            "vit_dpwee_": "differential attention", "_18x2_": "two layers side by side",
            "_xp_": "RMS normalisation",
        ]
        return architectures.first { record.name.contains($0.key) }?.value
    }

    @Test("The list is whole")
    func list() throws {
        let records = try Self.records()
        let weights = records.filter { $0.name.hasPrefix("vit_") && $0.name.contains(".") }
        #expect(weights.count == 346)
        let own = weights.filter { $0.module == "vision_transformer" }
        #expect(own.count == 267)
        #expect(own.filter { Self.reason($0) == nil }.count == 262)
        #expect(weights.filter { Self.reason($0) != nil }.count == 63)
        #expect(records.filter { $0.module == "deit" }.count == 24)
    }

    @Test("Names that are not built are refused, with their tags and without")
    func refused() throws {
        for record in try Self.records() where Self.reason(record) != nil {
            #expect(ModelRegistry.preset(named: record.name) == nil, "\(record.name)")
            #expect(ModelRegistry.preset(named: record.architecture) == nil, "\(record.name)")
        }
    }

    @Test("Every published name of the registry is timm's")
    func nothingElse() throws {
        let names = try Self.records().filter { $0.name.contains(".") && Self.reason($0) == nil }
            .map(\.name)
        let known = ModelRegistry.presets.flatMap { ModelRegistry.weights(of: $0.name) }
        #expect(known.count == 307)
        #expect(Set(known) == Set(names) && known.count == names.count)
    }

    @Test("Keys, shapes, parameters")
    func keys() throws {
        var digests: [String: String] = [:]
        var made = 0
        for record in try Self.records() where Self.reason(record) == nil {
            let preset = try #require(ModelRegistry.preset(named: record.name), "\(record.name)")
            #expect(preset.name == record.name)
            let configuration = preset.configuration
            #expect(configuration.numClasses == record.numClasses, "\(record.name)")
            #expect(configuration.parameterCount == record.parameters, "\(record.name)")
            let key = "\(record.architecture) \(configuration.numClasses)"
            if digests[key] == nil {
                let (digest, count) = try digest(configuration)
                #expect(count == record.parameters, "\(record.name)")
                digests[key] = digest
            }
            #expect(digests[key] == record.sha256, "\(record.name)")
            made += 1
        }
        #expect(made > 307)
    }

    /// The digest of names and shapes, and how many numbers there are, by timm's names for a network's tensors.
    private func digest(_ configuration: ModelConfiguration) throws -> (String, count: Int) {
        let names = ModelFamilies.family(of: configuration)?.timmNames(of: configuration)
        var (lines, count): ([String], Int) = ([], 0)
        for (key, tensor) in try configuration.makeOutline().namedTensors() {
            let parts = names?.names(of: key) ?? [key]
            let shape = tensor.shape.enumerated().map { $0 == 0 ? $1 / parts.count : $1 }
            for case let name? in parts {
                lines.append(([name] + shape.map(String.init)).joined(separator: " ") + "\n")
                count += shape.reduce(1, *)
            }
        }
        var digest = try Digest(.sha256)
        // Python sorts by code points.
        for line in lines.sorted(by: {
            $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
        }) {
            Array(line.utf8).withUnsafeBytes { digest.update($0) }
        }
        return (try digest.finish(), count)
    }

    @Test("Images are made as for each of the weights")
    func images() throws {
        for record in try Self.records() where Self.reason(record) == nil {
            guard record.name.contains(".") else { continue }
            let preset = try #require(ModelRegistry.preset(named: record.name), "\(record.name)")
            let processor = try #require(try preset.processor(), "\(record.name)")
            let (channels, side) = (record.inputSize[0], record.inputSize[1])
            #expect(record.inputSize == [3, side, side] && record.fixedInputSize)
            #expect(processor.channels == channels, "\(record.name)")
            #expect(preset.configuration.imageSize == (side, side), "\(record.name)")
            #expect(processor.mean == record.mean && processor.std == record.std, "\(record.name)")
            #expect(processor.interpolation.rawValue == record.interpolation, "\(record.name)")
            // timm/data/transforms_factory.py, `transforms_imagenet_eval`.
            let resized = Int((Double(side) / record.cropPct).rounded(.down))
            let expected: ResizeRule =
                record.cropMode == "squash"
                ? .exact(height: resized, width: resized) : .shortestSide(resized)
            #expect(processor.resize == expected, "\(record.name)")
            let isWhole = processor.resize == .exact(height: side, width: side)
            #expect(processor.cropHeight == (isWhole ? nil : side), "\(record.name)")
        }
    }

    @Test("License and repository")
    func sources() throws {
        for record in try Self.records() where Self.reason(record) == nil {
            guard record.name.contains(".") else { continue }
            let published = try #require(PublishedWeights(of: record.name), "\(record.name)")
            #expect(published.license == record.license, "\(record.name)")
            #expect(published.repository == record.hfHubId, "\(record.name)")
            #expect(published.source == record.hfHubId ?? record.url, "\(record.name)")
        }
    }

    /// timm's results/results-imagenet.csv.
    @Test(
        "Published accuracies",
        arguments: [
            ("vit_base_patch16_224.augreg_in1k", 79.154), ("deit_tiny_patch16_224.fb_in1k", 72.19),
            ("vit_so400m_patch14_siglip_gap_378.v2_webli", nil),
        ]
    )
    func accuracies(name: String, top1: Double?) throws {
        #expect(try #require(PublishedWeights(of: name)).top1 == top1)
    }

    @Test("timm's deprecated names")
    func deprecated() throws {
        let preset = try #require(ModelRegistry.preset(named: "vit_small_patch16_224_dino"))
        #expect(preset.name == "vit_small_patch16_224.dino")
        #expect(preset.configuration.numClasses == 0)
        let names = try Self.records().map(\.name)
        let deit3 = ModelRegistry.preset(named: "deit3_huge_patch14_224_in21ft1k")
        #expect(deit3.map { names.contains($0.name) } == true)
    }
}

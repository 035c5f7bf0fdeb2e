import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// Layer-wise learning rates: the layer, the factor and the weight decay of every weight, as timm has them.
@Suite("Layer-wise decay against timm", .tags(.parity))
@ModelActor
struct LayerDecayParityTests {
    private struct Line {
        let name: String
        let layer: Int
        let scale: Double
        let weightDecay: Double
    }

    private nonisolated func lines(_ model: String) throws -> [Line] {
        let file = fixtures.appending(path: "layer_decay").appending(path: "\(model).txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            try #require(words.count == 4)
            return Line(
                name: String(words[0]),
                layer: try #require(Int(words[1])),
                scale: try #require(Double(words[2])),
                weightDecay: try #require(Double(words[3]))
            )
        }
    }

    @Test(
        "Layers by the names of weights",
        arguments: [
            "deit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "deit3_small_patch16_224",
            "resnet18", "regnety_040", "tf_efficientnet_lite0",
        ]
    )
    nonisolated func layers(model: String) throws {
        let lines = try lines(model)
        #expect(lines.count > 60)
        let order = LayerOrder(names: lines.map(\.name).shuffled())
        #expect(order.count == (lines.map(\.layer).max() ?? -1) + 1)
        for line in lines { #expect(order.layer(of: line.name) == line.layer, "\(line.name)") }
        #expect(order.layer(of: "nothing") == nil)
    }

    @Test(
        "Groups of a network",
        arguments: ["deit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "resnet18"]
    )
    func groups(name: String) throws {
        let model = try ModelRegistry.configuration(named: name).makeModel()
        let order = LayerOrder(names: model.namedParameters().map(\.name))
        let groups = ParameterGroup.layerDecaying(
            model,
            weightDecay: 0.05,
            layerDecay: 0.65,
            layerCount: order.count,
            layer: order.layer
        )
        #expect(Set(groups.map(\.name)).count == groups.count, "LAMB's memory goes by the name")
        var found: [String: (scale: Double, weightDecay: Double)] = [:]
        for group in groups {
            for (name, _) in group.parameters {
                #expect(found.updateValue((group.lrScale, group.weightDecay), forKey: name) == nil)
            }
        }
        let lines = try lines(name)
        #expect(found.count == lines.count)
        for line in lines {
            let settings = try #require(found[line.name], "\(line.name)")
            #expect(abs(settings.scale / line.scale - 1) < 1e-12, "\(line.name)")
            #expect(settings.weightDecay == line.weightDecay, "\(line.name)")
        }
        #expect(groups.last?.lrScale == 1)
    }
}

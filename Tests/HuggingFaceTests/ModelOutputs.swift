import Checkpoints
import Foundation
import HuggingFace
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

/// The cases of the fixtures, `CLASS-CONFIGURATION`.
enum Cases {
    static let classes = [
        "DeiTModel", "DeiTForMaskedImageModeling", "DeiTForImageClassification",
        "DeiTForImageClassificationWithTeacher", "ViTModel", "ViTForImageClassification",
    ]
    static let configurations = ["odd", "wide", "large_patch", "rest"]
    static let dinov2Classes = [
        "Dinov2Model", "Dinov2ForImageClassification", "Dinov2WithRegistersModel",
        "Dinov2WithRegistersForImageClassification",
    ]
    static let dinov2Configurations = ["odd", "swiglu", "usual"]
    static let all =
        classes.flatMap { name in configurations.map { "\(name)-\($0)" } }
        + dinov2Classes.flatMap { name in dinov2Configurations.map { "\(name)-\($0)" } }

    static let kernels = ComputePolicy.Kernel.allCases.filter {
        ComputePolicy.availableKernels.contains($0.rawValue)
    }

    /// The class of a case.
    static func className(_ name: String) -> String {
        String(name.prefix { $0 != "-" })
    }
}

/// What is passed to a model, and by which names its outputs are known in the fixtures.
struct Inputs {
    var images: Tensor
    var labels: Tensor?
    var mask: Tensor?
    /// Images of another size than the configuration's.
    var other: Tensor?

    init(_ fixture: Fixture) throws {
        images = try fixture.tensor("images")
        let names = fixture.names
        if names.contains("labels") { labels = try fixture.tensor("labels") }
        if names.contains("mask") { mask = try fixture.tensor("mask") }
        if names.contains("other.images") { other = try fixture.tensor("other.images") }
    }

    /// The inputs by name, as `check_huggingface.py` reads them.
    var named: [(name: String, tensor: Tensor)] {
        [("images", images)]
            + [("labels", labels), ("mask", mask)].compactMap { name, tensor in
                tensor.map { (name, $0) }
            }
    }
}

extension Fixture {
    /// A tensor of the file, of numbers or integers.
    func tensor(_ name: String) throws -> Tensor {
        do {
            return try Tensor(floats(name), shape: shape(name))
        } catch FixtureError.wrongType {
            return try Tensor(integers(name), shape: shape(name))
        }
    }
}

/// Outputs by the names that the fixtures have for them; states and attentions are stacked.
struct NamedOutputs {
    private(set) var tensors: [(name: String, tensor: Tensor)] = []

    mutating func add(_ prefix: String, _ name: String, _ tensor: Tensor?) throws {
        guard let tensor else { return }
        tensors.append((prefix + name, tensor.rank == 0 ? try tensor.reshaped([1]) : tensor))
    }

    mutating func add(_ prefix: String, _ name: String, _ list: [Tensor]?) throws {
        guard let list else { return }
        try add(prefix, name, try Tensor.stack(list))
    }
}

/// Runs every class of the facade alike.
enum Runner {
    /// All outputs of a model.
    static func outputs(of model: some PretrainedModel, _ inputs: Inputs) throws -> NamedOutputs {
        try withoutGradient {
            var result = NamedOutputs()
            try add(model, inputs.images, inputs, "", attentions: true, to: &result)
            if let other = inputs.other {
                try add(model, other, inputs, "other.", attentions: nil, to: &result)
            }
            return result
        }
    }

    private static func add(
        _ model: some PretrainedModel,
        _ images: Tensor,
        _ inputs: Inputs,
        _ prefix: String,
        attentions: Bool?,
        to result: inout NamedOutputs
    ) throws {
        let isOther = !prefix.isEmpty
        switch model {
        case let model as DeiTModel:
            try add(base: model, images, prefix, isOther, attentions, to: &result)
        case let model as ViTModel:
            try add(base: model, images, prefix, isOther, attentions, to: &result)
        case let model as Dinov2Model:
            let mask = isOther ? nil : inputs.mask
            try add(base: model, images, mask: mask, prefix, isOther, attentions, to: &result)
        case let model as Dinov2WithRegistersModel:
            let mask = isOther ? nil : inputs.mask
            try add(base: model, images, mask: mask, prefix, isOther, attentions, to: &result)
        case let model as Dinov2ForImageClassification:
            let labels = isOther ? nil : inputs.labels
            try add(classifier: model, images, labels, prefix, attentions, to: &result)
        case let model as Dinov2WithRegistersForImageClassification:
            let labels = isOther ? nil : inputs.labels
            try add(classifier: model, images, labels, prefix, attentions, to: &result)
        case let model as DeiTForImageClassification:
            let labels = isOther ? nil : inputs.labels
            try add(classifier: model, images, labels, prefix, attentions, to: &result)
        case let model as ViTForImageClassification:
            let labels = isOther ? nil : inputs.labels
            try add(classifier: model, images, labels, prefix, attentions, to: &result)
        case let model as DeiTForImageClassificationWithTeacher:
            let output = try model(
                pixelValues: images,
                outputHiddenStates: true,
                outputAttentions: attentions,
                interpolatePosEncoding: isOther
            )
            try result.add(prefix, "logits", output.logits)
            try result.add(prefix, "cls_logits", output.clsLogits)
            try result.add(prefix, "distillation_logits", output.distillationLogits)
            try result.add(prefix, "hidden_states", output.hiddenStates)
            try result.add(prefix, "attentions", output.attentions)
        case let model as DeiTForMaskedImageModeling:
            try add(masked: model, images, inputs.mask, prefix, attentions, to: &result)
        default: Issue.record("\(type(of: model)) has no test")
        }
    }

    private static func add<Family>(
        base model: EncoderModel<Family>,
        _ images: Tensor,
        mask: Tensor? = nil,
        _ prefix: String,
        _ isOther: Bool,
        _ attentions: Bool?,
        to result: inout NamedOutputs
    ) throws {
        let output = try model(
            pixelValues: images,
            boolMaskedPos: mask,
            outputHiddenStates: true,
            outputAttentions: attentions,
            interpolatePosEncoding: isOther && !Family.isDINOv2
        )
        try result.add(prefix, "last_hidden_state", output.lastHiddenState)
        try result.add(prefix, "pooler_output", output.poolerOutput)
        try result.add(prefix, "hidden_states", output.hiddenStates)
        try result.add(prefix, "attentions", output.attentions)
    }

    private static func add<Family>(
        classifier model: ImageClassificationModel<Family>,
        _ images: Tensor,
        _ labels: Tensor?,
        _ prefix: String,
        _ attentions: Bool?,
        to result: inout NamedOutputs
    ) throws {
        let output = try model(
            pixelValues: images,
            labels: labels,
            outputHiddenStates: true,
            outputAttentions: attentions,
            interpolatePosEncoding: !prefix.isEmpty && !Family.isDINOv2
        )
        try result.add(prefix, "loss", output.loss)
        try result.add(prefix, "logits", output.logits)
        try result.add(prefix, "hidden_states", output.hiddenStates)
        try result.add(prefix, "attentions", output.attentions)
    }

    private static func add(
        masked model: DeiTForMaskedImageModeling,
        _ images: Tensor,
        _ mask: Tensor?,
        _ prefix: String,
        _ attentions: Bool?,
        to result: inout NamedOutputs
    ) throws {
        let isOther = !prefix.isEmpty
        let output = try model(
            pixelValues: images,
            boolMaskedPos: isOther ? nil : mask,
            outputHiddenStates: true,
            outputAttentions: attentions,
            interpolatePosEncoding: isOther
        )
        try result.add(prefix, "loss", output.loss)
        try result.add(prefix, "reconstruction", output.reconstruction)
        try result.add(prefix, "hidden_states", output.hiddenStates)
        try result.add(prefix, "attentions", output.attentions)
        guard !isOther else { return }
        let old = try DeiTForMaskedImageModeling(model.config, tokenSlice: .legacy)
        let (mine, theirs) = try (old.stateDict(), model.stateDict())
        try #require(mine.map(\.name) == theirs.map(\.name))
        for (index, entry) in mine.enumerated() {
            try entry.tensor.copy(from: theirs[index].tensor)
        }
        let legacy = try old(pixelValues: images, boolMaskedPos: mask)
        try result.add("legacy.", "reconstruction", legacy.reconstruction)
    }
}

/// The classes by their names.
@ModelActor enum Classes {
    /// Loads a model of the class that a case names.
    static func load(_ name: String) async throws -> any PretrainedModel {
        let path = try Fixtures.path(name)
        return switch Cases.className(name) {
        case "DeiTModel": try await DeiTModel.fromPretrained(path)
        case "DeiTForMaskedImageModeling": try await DeiTForMaskedImageModeling.fromPretrained(path)
        case "DeiTForImageClassification": try await DeiTForImageClassification.fromPretrained(path)
        case "DeiTForImageClassificationWithTeacher":
            try await DeiTForImageClassificationWithTeacher.fromPretrained(path)
        case "ViTModel": try await ViTModel.fromPretrained(path)
        case "Dinov2Model": try await Dinov2Model.fromPretrained(path)
        case "Dinov2ForImageClassification":
            try await Dinov2ForImageClassification.fromPretrained(path)
        case "Dinov2WithRegistersModel": try await Dinov2WithRegistersModel.fromPretrained(path)
        case "Dinov2WithRegistersForImageClassification":
            try await Dinov2WithRegistersForImageClassification.fromPretrained(path)
        default: try await ViTForImageClassification.fromPretrained(path)
        }
    }
}

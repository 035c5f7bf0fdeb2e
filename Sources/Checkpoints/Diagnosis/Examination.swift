import ImagePipeline
import Storage
import Torch
import TorchNN
import VisionModels

/// The examination of one checkpoint.
struct Examination {
    var diagnosis = Diagnosis()
    let weights: WeightsFile
    private let path: String
    private let options: LoadOptions

    init(_ path: String, options: LoadOptions) throws {
        self.path = path
        self.options = options
        let file: String
        switch try CheckpointLocation(resolving: path) {
        case .weights(let path): file = path
        case .directory(let folder):
            guard let found = CheckpointLocation.weights(in: folder).first else {
                throw CheckpointError.unreadable(
                    path: folder,
                    reason: "there are no weights next to its config.json"
                )
            }
            file = found
        }
        weights = try WeightsFile(path: file, stateDict: options.stateDict)
    }

    // MARK: - The file

    mutating func describeFile() throws(CheckpointError) {
        diagnosis.add("weights", weights.path)
        diagnosis.add("container", container)
        if let file = weights.stored as? PyTorchFile, !file.stateDictNames.isEmpty {
            diagnosis.add("state dicts", file.stateDictNames.joined(separator: ", "))
        }
        diagnosis.add("names", weights.scheme.words)
        diagnosis.add("tensors", "\(weights.archive.tensors.count)")
        diagnosis.add("numbers", "\(Int(weights.elementCount))")
        let types = Dictionary(grouping: weights.archive.tensors, by: \.dtype.rawValue)
        diagnosis.add(
            "types",
            types.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value.count))" }
                .joined(separator: ", ")
        )
        if !weights.quantized.isEmpty {
            diagnosis.add("int8", LoadReport.int8Note(Set(weights.quantized.keys.map(\.key)).count))
        }
        for note in weights.notes { diagnosis.add("note", note) }
        let unused = weights.extras.values.map(\.name).sorted() + weights.ignored
        if !unused.isEmpty { diagnosis.add("outside the network", LoadReport.list(unused)) }
        let arguments = weights.arguments
        let told = ["model", "arch", "patch_size", "input_size"].compactMap { key in
            arguments[key].map { "\(key) \($0)" }
        }
        if !told.isEmpty { diagnosis.add("training said", told.joined(separator: ", ")) }
        if let file = weights.stored as? PyTorchFile { try checkChecksums(file) }
    }

    private mutating func checkChecksums(_ file: PyTorchFile) throws(CheckpointError) {
        let (names, parts) = try file.damagedParts()
        if names.isEmpty { return }
        guard names.count < parts else {
            diagnosis.warn(
                "no member has the right checksum; the file was written without checksums, or is damaged"
            )
            return
        }
        diagnosis.fault(
            "bytes were changed after the file was written: "
                + "\(LoadReport.list(names)) have another checksum; download the file again"
        )
    }

    private var container: String {
        switch (weights.stored as? SelectedArchive)?.whole ?? weights.stored {
        case is SafetensorsFile: "safetensors"
        case is PyTorchFile: "PyTorch"
        default: "several files with an index"
        }
    }

    // MARK: - The model

    mutating func describeModel() throws {
        var options = options
        options.relaxations.insert(.noHead)
        let plan: LoadPlan
        do {
            plan = try ModelDirectory.plan(path, options: options)
        } catch let error as CheckpointError {
            diagnosis.fault(error.description)
            return
        }
        diagnosis.assumptions = plan.assumptions
        let configuration = plan.description.configuration
        let presets = Self.presets(configuration)
        if !presets.isEmpty { diagnosis.add("same as", presets.joined(separator: ", ")) }
        diagnosis.add("architecture", Self.sentence(configuration))
        diagnosis.add("parameters", "\(configuration.parameterCount)")
        diagnosis.add("classes", Self.classes(plan.description))
        if configuration.numClasses > 0 {
            let type = plan.description.problemType.map { " (\($0.rawValue))" } ?? ""
            diagnosis.add("scores", plan.description.scoring.words + type)
        }
        if let vit = configuration.transformer {
            diagnosis.add("layer norm eps", "\(vit.layerNormEps)")
            // Rotary positions are computed for any grid.
            if vit.rotaryTemperature == nil {
                diagnosis.add("resampling", "\(resampling(plan).rawValue), for another grid")
            }
        }
        diagnosis.add("images", ModelDirectory.steps(plan.description.processor))
        try checkTensors(plan)
        let expectations = Expectations(weights, plan.description)
        for finding in expectations.findings { diagnosis.findings.append(finding) }
        if let named = expectations.named { diagnosis.add("known as", named) }
    }

    private mutating func checkTensors(_ plan: LoadPlan) throws {
        do {
            let model = try plan.description.configuration.makeOutline()
            try WeightLoader(plan: plan).check(model)
        } catch let error as CheckpointError {
            diagnosis.fault(error.description)
        }
    }

    private func resampling(_ plan: LoadPlan) -> PositionEmbeddingResampling {
        if plan.description.originalConfiguration["model_type"] != nil { return .hf }
        if plan.description.originalConfiguration["architecture"] != nil { return .timm }
        if weights.scheme == DINOv2Names.scheme { return .dinov2 }
        if weights.isOfDINO || weights.arguments["arch"] != nil { return .dino }
        return weights.stored is PyTorchFile ? .deit : .timm
    }

    /// The presets of the same network; DeiT-Ti and ViT-Ti, say, differ only in how they were trained.
    private static func presets(_ configuration: ModelConfiguration) -> [String] {
        guard let family = ModelFamilies.family(of: configuration) else { return [] }
        return family.presets.filter { preset in
            var other = preset.configuration
            other.numClasses = configuration.numClasses
            return family.isPreset(other, configuration)
        }.map(\.name)
    }

    private static func sentence(_ configuration: ModelConfiguration) -> String {
        let (height, width) = configuration.imageSize
        let channels =
            configuration.inChannels == 1 ? "1 channel" : "\(configuration.inChannels) channels"
        let images = "\(channels), \(ImageSize(height: height, width: width))"
        return configuration.network.summary(images: images)
    }

    private static func classes(_ description: ModelDescription) -> String {
        let count = description.configuration.numClasses
        if count == 0 { return "none (a backbone)" }
        return "\(count), \(description.labels.arePlaceholders ? "without names" : "with names")"
    }

    // MARK: - The numbers

    mutating func checkNumbers() throws(CheckpointError) {
        var broken: [String] = []
        var zero: [String] = []
        for tensor in weights.archive.tensors {
            guard let dtype = DType(tensor.dtype) else {
                diagnosis.fault(
                    "\(tensor.name) has the type \(tensor.dtype.rawValue), which is not supported"
                )
                continue
            }
            guard dtype.isFloatingPoint, tensor.elementCount > 0 else { continue }
            let value = try weights.archive.read(tensor)
            do throws(TorchError) {
                if try !value.isFiniteThroughout() {
                    broken.append(tensor.name)
                } else if tensor.shape.count > 1, try value.abs().max().item() == 0 {
                    zero.append(tensor.name)
                }
            } catch {
                throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
            }
        }
        if !broken.isEmpty {
            diagnosis.fault(
                "NaN or infinity in \(broken.joined(separator: ", ")): the training diverged or the "
                    + "file is damaged"
            )
        }
        let dead = zero.filter { $0.hasSuffix("weight") }
        if !dead.isEmpty {
            diagnosis.fault("all values are zero in \(dead.joined(separator: ", "))")
        }
        let others = zero.filter { !$0.hasSuffix("weight") }
        if !others.isEmpty {
            diagnosis.warn("all values are zero in \(others.joined(separator: ", "))")
        }
    }
}

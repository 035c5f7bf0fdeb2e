import Foundation
import Storage
import Torch
import TorchNN
import VisionModels

/// A checkpoint in another form.
///
/// The result is written aside, read again and compared number by number; only then it takes its name.
public enum Conversion {
    /// What a conversion did.
    public struct Report: Sendable {
        /// All of the model but the numbers.
        public let description: ModelDescription

        /// What was not simply taken over from the checkpoint.
        public let source: LoadReport

        /// The names in the checkpoint of tensors that the result does not have, and of what its form has no place for.
        public let left: [String]

        /// The architecture in Hugging Face's form; nil in others.
        public let architecture: HuggingFaceArchitecture?

        /// Whose names the tensors have, as a sentence has it: "timm's".
        public let names: String

        /// How many tensors of the network were written and read again.
        public let tensorCount: Int

        /// How many tensors outside the network were written, such as a pooler's.
        public let extraCount: Int

        /// The type of the floating-point numbers in the result.
        public let dtype: String

        /// How many linear layers are in 8 bits in the result, whatever the type of the other numbers.
        public let int8Layers: Int
    }

    /// Converts a checkpoint.
    ///
    /// A checkpoint may be without a classifier. The result has the type of the checkpoint's numbers unless `saving`
    /// names another, and is then bit-equal to it. With a type in `saving`, weights in 8 bits are written as the numbers
    /// that they stand for.
    ///
    /// - Parameters:
    ///   - path: As in ``ModelDirectory/load(_:options:)``.
    ///   - loading: How it is read.
    ///   - output: The folder or file to write.
    ///   - saving: How it is written.
    ///   - change: Called with the model before it is written, such as to let it compute in 8 bits.
    /// - Returns: What was done.
    /// - Throws: ``CheckpointError`` when the checkpoint cannot be read, the form cannot hold it, or what was written
    ///   does not read back as it was; what `change` throws; then nothing is left behind, and what was there before is
    ///   still there.
    public static func run(
        _ path: String,
        loading: LoadOptions,
        to output: String,
        saving: SaveOptions,
        changing change: (LoadedModel) throws -> Void = { _ in }
    ) throws -> Report {
        var loading = loading
        loading.relaxations.insert(.noHead)
        loading.keepsStoredGrid = true
        // DINOv2's and DINOv3's classifiers are files of their own.
        if saving.form.isBackbone { loading.relaxations.insert(.dropHead) }
        if !ClassifierForm.isHeld(by: saving.form), try ClassifierForm.isSingle(path, loading) {
            loading.relaxations.insert(.dropHead)
        }
        var loaded = try ModelDirectory.load(path, options: loading)
        if case .huggingFace = saving.form {} else { loaded = try loaded.withImagesOfNetwork() }
        var saving = saving
        if saving.dtype != nil {
            for linear in Int8Format.linears(of: loaded.model).values { linear.quantization = nil }
        }
        try change(loaded)
        if saving.dtype == nil { saving.dtype = loaded.weights.floatingDType }
        var architecture: HuggingFaceArchitecture?
        var extras: [(name: String, tensor: Tensor)] = []
        if case .huggingFace(let wanted) = saving.form,
            let vit = loaded.description.configuration.transformer
        {
            architecture = wanted ?? ClassifierForm.architecture(of: loaded, vit)
            saving.form = .huggingFace(architecture)
            extras = try ClassifierForm.extras(of: loaded, for: architecture)
        }
        if saving.form.isBackbone, let token = try loaded.extraTensor(named: "mask_token") {
            extras = [("embeddings.mask_token", token)]
        }
        // Rounded to another type, the parts would not add up to the rounded class token.
        let classPosition =
            saving.dtype == loaded.weights.floatingDType ? try loaded.weights.classPosition() : nil
        try write(loaded, Additions(extras, classPosition), to: output, saving)
        func key(_ name: String) -> String { HuggingFaceKeyMap.place(of: name)?.key ?? name }
        let taken = Set(extras.map { key($0.name) })
        let left = loaded.extraNames.filter { name in
            !taken.contains(key(loaded.weights.rest(of: name) ?? name))
        }
        return Report(
            description: loaded.description,
            source: loaded.report,
            left: left + loaded.weights.ignored + unheld(loaded.description, by: saving),
            architecture: architecture,
            names: Self.names(saving.form).words,
            tensorCount: loaded.model.namedTensors().count,
            extraCount: extras.count,
            dtype: (saving.dtype ?? .float32).rawValue,
            int8Layers: Int8Format.quantizations(of: loaded.model).count
        )
    }

    private static func names(_ form: SaveOptions.Form) -> NameScheme {
        switch form {
        case .automatic, .huggingFace: .huggingFace
        case .dinov2: DINOv2Names.scheme
        case .dinov3: DINOv3Names.scheme
        case .timm, .deit, .bare: .timm
        }
    }

    /// What a file of tensors alone does not hold, although the model's scores depend on it.
    private static func unheld(_ description: ModelDescription, by saving: SaveOptions) -> [String]
    {
        guard !saving.writesFolder, saving.form == .deit || saving.container == .pytorch,
            let problemType = description.problemType, description.configuration.numClasses > 0
        else { return [] }
        return ["\(ProblemType.key) \(problemType.rawValue)"]
    }

    /// What is written beside the network's own tensors.
    private struct Additions {
        let extras: [(name: String, tensor: Tensor)]
        let classPosition: ClassPosition?

        init(_ extras: [(name: String, tensor: Tensor)], _ classPosition: ClassPosition?) {
            (self.extras, self.classPosition) = (extras, classPosition)
        }
    }

    // Inlined into `run`, its closures make the optimiser of Swift 6.3 stop with an ownership error.
    @inline(never)
    private static func write(
        _ loaded: LoadedModel,
        _ additions: Additions,
        to output: String,
        _ saving: SaveOptions
    ) throws {
        guard !saving.writesFolder else {
            return try CheckpointError.translating {
                try AtomicFolder.write(to: output) { folder in
                    try ModelDirectory.write(
                        loaded.model,
                        loaded.description,
                        into: folder,
                        options: saving,
                        extras: additions.extras,
                        classPosition: additions.classPosition
                    )
                    try verify(folder, loaded, additions, saving, output)
                }
            }
        }
        // The file's own name is given last; the ending stays, as files are opened by their content.
        try CheckpointError.translating {
            try AtomicFile.write(aside: output) { temporary in
                try ModelDirectory.save(
                    loaded.model,
                    loaded.description,
                    to: temporary,
                    options: saving,
                    extras: additions.extras,
                    classPosition: additions.classPosition
                )
                try verify(temporary, loaded, additions, saving, output)
            }
        }
    }

    /// Reads what was written and compares every number.
    private static func verify(
        _ path: String,
        _ loaded: LoadedModel,
        _ additions: Additions,
        _ saving: SaveOptions,
        _ output: String
    ) throws {
        let file = saving.writesFolder ? CheckpointLocation.weights(in: path).first : path
        guard let file else {
            throw CheckpointError.unwritable(path: output, reason: "its weights are missing")
        }
        if saving.writesFolder {
            var options = LoadOptions(relaxations: [.noHead, .dropHead])
            options.keepsStoredGrid = true
            let again = try ModelDirectory.description(of: path, options: options)
            guard again.configuration.imageSize == loaded.description.configuration.imageSize,
                again.processor == loaded.description.processor
            else {
                throw CheckpointError.unwritable(
                    path: output,
                    reason: "its configuration differs when it is read back"
                )
            }
        }
        var plan = LoadPlan(loaded.description, try WeightsFile(path: file))
        if loaded.model.numClasses == 0 { plan.head = .none }
        let copy = try loaded.description.configuration.makeUnfilledModel()
        _ = try WeightLoader(plan: plan).load(into: copy, relaxations: [])
        let written = copy.namedTensors()
        let quantizations = Int8Format.quantizations(of: loaded.model)
        guard Int8Format.quantizations(of: copy) == quantizations else {
            throw CheckpointError.unwritable(
                path: output,
                reason: "the scales of its 8-bit weights differ when they are read back"
            )
        }
        for (index, (name, tensor)) in loaded.model.namedTensors().enumerated() {
            // A 0 of 8 bits has no sign, and adding 0 takes it off.
            let isInt8 =
                name.hasSuffix(".weight")
                && quantizations[String(name.dropLast(".weight".count))] != nil
            // Its parts have the file's type, their sum may not.
            let isSum = name == "cls_token" && additions.classPosition != nil
            let expected =
                try isInt8
                ? tensor.detached() + 0 : isSum ? tensor : rounded(tensor, saving.dtype)
            let bytes = try expected.withBytes { [UInt8]($0) }
            guard written[index].name == name,
                try written[index].tensor.withBytes({ $0.elementsEqual(bytes) })
            else {
                throw CheckpointError.unwritable(
                    path: output,
                    reason: "\(name) differs when it is read back"
                )
            }
        }
    }

    private static func rounded(_ tensor: Tensor, _ dtype: DType?) throws(TorchError) -> Tensor {
        guard let dtype, tensor.dtype.isFloatingPoint, tensor.dtype != dtype else { return tensor }
        return try tensor.detached().to(dtype).to(tensor.dtype)
    }
}

extension LoadedModel {
    /// The same model whose processor makes the images that its positions are for.
    fileprivate func withImagesOfNetwork() throws -> LoadedModel {
        guard let otherImages else { return self }
        return try with(
            description.processor.resized(
                from: (otherImages.size.height, otherImages.size.width),
                to: description.configuration.imageSize
            )
        )
    }
}

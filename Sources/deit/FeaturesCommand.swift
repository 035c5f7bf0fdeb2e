import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import Inference
import Torch

/// `deit features`: what a model sees in images, as numbers for other programs.
struct FeaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Extract features of images into a file.",
        discussion: """
            Examples:
              deit features runs/first --data DIR --output features.safetensors
              deit features dino.pth cats/ dog.jpg --tokens cls,mean --output f.npy
              deit features runs/first holiday/ --normalize --output f.csv

            Features are tokens after the final normalisation: cls (class token), dist \
            (distillation token), patch (all patches), mean (mean of the patches). With several \
            blocks they are concatenated, the last block at the end. Convolutional networks have \
            only mean, the mean of the last feature maps. No classifier is needed.

            The extension of the output selects the format. A .safetensors file has an array for \
            each token, [images, length] or [images, patches, length], "labels" if there are \
            any, and file and class names in its metadata. A .npy file has one array, with names \
            in NAME.files.csv. A .csv file has one line per image.

            DIR contains val/CLASS/, CLASS/ or IDX files, as for `deit evaluate`. Unreadable \
            images are skipped and reported.
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @Argument(help: "Images or directories of images, without labels.", completion: .file())
    var images: [String] = []

    @Option(help: "Directory of labelled images, in place of IMAGES.", completion: .directory)
    var data: String?

    /// A part of the labelled images.
    enum Split: String, CaseIterable, ExpressibleByArgument {
        case train
        case val
    }

    @Option(help: "Split of the data.")
    var split = Split.val

    @Option(help: "File to write: .safetensors, .npy or .csv.", completion: .file())
    var output: String

    @Option(help: "Tokens, separated by commas: cls, dist, patch, mean (default: cls).")
    var tokens: String?

    @Option(help: "Number of last blocks to concatenate.")
    var blocks = 1

    @Flag(help: "Normalize every vector to length 1.")
    var normalize = false

    @OptionGroup var sizes: SizeOptions

    @OptionGroup var reading: ReadingOptions

    func validate() throws {
        guard images.isEmpty != (data == nil) else {
            throw ValidationError(
                images.isEmpty
                    ? "give images: --data DIR, or files and directories"
                    : "give images or --data DIR, not both"
            )
        }
        guard FeatureFormat(path: output) != nil else {
            throw ValidationError(
                "--output \(output) must end in .safetensors, .npy or .csv"
            )
        }
        _ = try tokenList()
        guard blocks > 0 else {
            throw ValidationError("--blocks must be at least 1, not \(blocks)")
        }
    }

    @ModelActor
    func run() async throws {
        OpenMPWaiting.spinBriefly()
        let dataset = try dataset()
        if dataset.isMultiLabel {
            StatusLine.note("labels are left out of the file, as images may have several")
        }
        let predictor = try await sizes.predictor(checkpoint, isPacked: true)
        let extractor = try FeatureExtractor(
            predictor,
            FeatureRequest(tokens: tokenList(), blocks: blocks, isNormalized: normalize)
        )
        let file = try FeatureFile(
            path: output,
            format: FeatureFormat(path: output) ?? .safetensors,
            columns: extractor.columns,
            description: .init(
                model: checkpoint.checkpoint,
                request: extractor.request,
                classNames: data == nil || dataset.isMultiLabel ? nil : dataset.classNames
            )
        )
        let loader = try reading.loader(dataset, predictor)
        let status = StatusLine()
        defer { status.clear() }
        try await extractor.extract(loader, into: file) {
            status.show($0, of: dataset.count, "images")
        }
        status.clear()
        guard file.count > 0 else {
            throw InferenceError.nothingToMeasure(loader.skipped)
        }
        try file.finish()
        checkpoint.tellAssumptions(predictor.loaded)
        reading.tell(loader.skipped)
        try Results.print(summary(file))
    }

    /// The tokens of `--tokens`; none means the usual one.
    private func tokenList() throws -> [FeatureRequest.Token] {
        guard let tokens else { return [] }
        return try tokens.split(separator: ",", omittingEmptySubsequences: false).map { name in
            if let token = FeatureRequest.Token(rawValue: String(name)) { return token }
            let known = FeatureRequest.Token.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("unknown token \"\(name)\"; --tokens takes \(known)")
        }
    }

    private func dataset() throws -> any ImageDataset {
        if let data {
            return try LabelledData.open(
                data,
                split == .train ? .train : .validation,
                for: checkpoint.checkpoint
            )
        }
        let list = try ImageFileList(paths: images)
        for folder in list.emptyFolders {
            StatusLine.note("\(folder) contains no images (jpg, jpeg, png or webp)")
        }
        guard list.count > 0 else {
            throw CommandFailure("there are no images", exitCode: CommandFailure.badData)
        }
        return list
    }

    private func summary(_ file: FeatureFile) -> String {
        let arrays = file.columns.map { column in
            let shape = column.shape(images: file.count).map(String.init).joined(separator: "×")
            return "\(column.name) \(shape)"
        }
        return "\(output): \(arrays.joined(separator: ", "))"
    }
}

import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import ImagePipeline
import Inference
import Torch
import Training

/// `deit index`: a classifier from a folder of images, without training.
struct IndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Build a kNN classifier from labelled images, without training.",
        discussion: """
            Examples:
              deit index dino.pth --data flowers/ --output flowers.index
              deit classify flowers.index IMAGE.jpg
              deit index flowers.index --add more/       # more images or new classes
              deit evaluate flowers.index --data flowers/

            An image gets the class that its nearest neighbours, compared by a model's features, \
            vote for. The training split of DIR is used, or all images if there are no splits \
            (CLASS/FILE). The model needs no classifier and need not know the classes. The index \
            is a directory with the model and the features, without the images; it can be moved.
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: "Labelled images: a directory, a list or an archive.")
    var data: String?

    @Option(help: "Directory to write the index to; an existing index is replaced.")
    var output: String?

    @Option(help: "Labelled images to add to an existing index, given in place of the model.")
    var add: String?

    @Option(help: "Number of neighbours that vote (default: 20).")
    var k: Int?

    @Option(help: "Temperature of the votes, above 0 (default: 0.07).")
    var temperature: Double?

    @OptionGroup var tokens: TokenOptions

    @OptionGroup var sizes: SizeOptions

    @OptionGroup var reading: ReadingOptions

    func validate() throws {
        if add != nil {
            guard data == nil, output == nil, k == nil, temperature == nil, !tokens.areGiven,
                sizes.size == nil
            else {
                throw ValidationError(
                    "--add extends an existing index with its own model, tokens and votes: leave out the other flags"
                )
            }
            return
        }
        guard data != nil, output != nil else {
            throw ValidationError(
                "give --data DIR --output INDEX, or --add DIR with an index"
            )
        }
        if let k, k < 1 { throw ValidationError("--k must be at least 1, not \(k)") }
        try ValidationError.requirePositive(temperature, "--temperature")
    }

    @ModelActor
    func run() async throws {
        OpenMPWaiting.spinBriefly()
        if let add {
            try await extend(by: add)
        } else if let data, let output {
            try await make(data, output)
        }
    }

    @ModelActor
    private func make(_ data: String, _ output: String) async throws {
        guard !NeighbourIndex.exists(at: checkpoint.checkpoint) else {
            throw CommandFailure(
                "\(checkpoint.checkpoint) is already an index; add images to it with --add DIR",
                exitCode: CommandFailure.wrongCall
            )
        }
        try NeighbourIndex.checkReplaceable(output)
        let dataset = try LabelledData.openForIndex(data, for: checkpoint.checkpoint)
        let predictor = try await sizes.predictor(checkpoint)
        let request = try FeatureExtractor(predictor, tokens.request()).request
        let found = try await ImageVectors(reading: reading)
            .extract(dataset, predictor, request).named(below: data)
        let features = found.withoutRepeats()
        tellRepeated(found.count - features.count)
        let index = try NeighbourIndex.create(
            at: output,
            predictor.loaded,
            features,
            .init(
                k: k ?? 20,
                temperature: temperature ?? KNNClassifier.usualTemperature,
                request: request
            )
        )
        try HeldOutShare.find(for: checkpoint.checkpoint)?.write(
            to: "\(output)/\(NeighbourIndex.modelFolder)"
        )
        checkpoint.tellAssumptions(predictor.loaded)
        try tell(index, "")
    }

    @ModelActor
    private func extend(by data: String) async throws {
        guard NeighbourIndex.exists(at: checkpoint.checkpoint) else {
            throw CommandFailure(
                "\(checkpoint.checkpoint) is not an index; build one with --data DIR --output INDEX",
                exitCode: CommandFailure.wrongCall
            )
        }
        let dataset = try LabelledData.openForIndex(data, for: checkpoint.checkpoint)
        var index = try checkpoint.index()
        let features = try await ImageVectors(reading: reading).extract(dataset, for: index)
            .named(below: data)
        let (added, relabelled) = try index.add(features)
        tellRepeated(features.count - added)
        if relabelled > 0 {
            StatusLine.note(
                "\(relabelled) of the added images \(relabelled == 1 ? "is" : "are") in the index under another class "
                    + "too and now vote\(relabelled == 1 ? "s" : "") for both"
            )
        }
        try tell(index, "\(added) added; ")
    }

    private func tellRepeated(_ count: Int) {
        guard count > 0 else { return }
        StatusLine.note(
            "skipped \(count) image\(count == 1 ? "" : "s") that the index already has; an image is recognized by its "
                + "content and votes only once"
        )
    }

    private func tell(_ index: NeighbourIndex, _ start: String) throws {
        let features = index.features
        let classes = Set(features.labels).count
        if classes == 1 {
            StatusLine.note("there is only one class: add another with --add before classifying")
        }
        try Results.print(
            "\(index.path): \(start)\(features.count) images of \(classes) class\(classes == 1 ? "" : "es"), "
                + "\(features.width) numbers each; \(index.settings.k) neighbours vote"
        )
    }
}

extension CheckpointOptions {
    /// Whether the checkpoint is an index.
    var isIndex: Bool { NeighbourIndex.exists(at: checkpoint) }

    /// Opens the index that the checkpoint is, and applies the choice of kernels.
    @ModelActor
    func index() throws -> NeighbourIndex {
        guard try source.options() == LoadOptions() else {
            throw CommandFailure(
                "\(checkpoint) is an index, which contains its model, classes and preprocessing; "
                    + "leave out the flags that change them",
                exitCode: CommandFailure.wrongCall
            )
        }
        try useDevice()
        return try NeighbourIndex(path: checkpoint)
    }
}

import Checkpoints
import Datasets
import Evaluation
import Foundation
import ImagePipeline
import Inference
import Storage
import Torch
import Training

/// `deit evaluate --knn` and `--linear`.
@ModelActor
struct FeatureEvaluation {
    let checkpoint: CheckpointOptions
    let data: String
    let sizes: SizeOptions
    let reading: ReadingOptions
    let options: FeatureEvaluationOptions
    let json: Bool

    private typealias Parts = (train: LabelledFeatures, validation: LabelledFeatures)

    func run() async throws {
        let train = try open(.train)
        let validation = try open(.validation)
        let predictor = try await sizes.predictor(checkpoint)
        let parts = try await features(predictor, train, validation)
        checkpoint.tellAssumptions(predictor.loaded)
        if options.linear {
            let report = try LinearProbeReport.measure(
                train: parts.train,
                validation: parts.validation,
                options: .init(strength: options.strength ?? 1)
            )
            if !report.isConverged {
                StatusLine.note(
                    "the linear classifier did not converge in \(report.iterations) steps; "
                        + "a smaller --inverse-l2 converges faster"
                )
            }
            try Results.print(json ? report.json.text(isIndented: false) : KNNText.table(report))
        } else {
            let report = try KNNReport.measure(
                train: parts.train,
                validation: parts.validation,
                k: options.counts() ?? KNNClassifier.usualCounts,
                temperature: options.temperature ?? KNNClassifier.usualTemperature
            )
            try KNNText.print(report, json: json)
        }
    }

    private func open(_ split: DatasetSplit) throws -> any ImageDataset {
        try LabelledData.open(data, split, for: checkpoint.checkpoint)
    }

    private func features(
        _ predictor: Predictor,
        _ train: any ImageDataset,
        _ validation: any ImageDataset
    ) async throws -> Parts {
        let request = try FeatureExtractor(predictor, options.tokens.request()).request
        func extract() async throws -> Parts {
            let vectors = ImageVectors(reading: reading)
            return (
                train: try await vectors.extract(train, predictor, request),
                validation: try await vectors.extract(validation, predictor, request)
            )
        }
        guard options.features != nil || options.saveFeatures != nil else {
            return try await extract()
        }
        let origin = FeatureCache.Origin(
            model: try FeatureFingerprint.model(predictor, request),
            train: try FeatureFingerprint.data(train, in: data),
            validation: try FeatureFingerprint.data(validation, in: data)
        )
        if let path = options.features { return try FeatureCache.read(path, origin) }
        let parts = try await extract()
        if let path = options.saveFeatures {
            try FeatureCache.write(
                train: parts.train,
                validation: parts.validation,
                origin,
                to: path
            )
        }
        return parts
    }
}

/// Features of labelled images with a progress line.
@ModelActor
struct ImageVectors {
    let reading: ReadingOptions

    /// The features that an index compares by.
    func extract(
        _ dataset: any ImageDataset,
        for index: NeighbourIndex
    ) async throws -> LabelledFeatures {
        try await extract(dataset, Predictor(index.loaded), index.settings.request)
    }

    func extract(
        _ dataset: any ImageDataset,
        _ predictor: Predictor,
        _ request: FeatureRequest
    ) async throws -> LabelledFeatures {
        let loader = try reading.loader(dataset, predictor)
        let status = StatusLine()
        defer { status.clear() }
        let features = try await LabelledFeatures.extract(
            loader,
            from: predictor,
            request
        ) {
            status.show($0, of: dataset.count, "images")
        }
        status.clear()
        reading.tell(loader.skipped)
        return features
    }
}

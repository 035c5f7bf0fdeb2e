import Checkpoints
import Datasets
import Evaluation
import Inference
import Torch
import Training

/// `deit evaluate INDEX`.
@ModelActor
enum IndexEvaluation {
    static func run(
        _ checkpoint: CheckpointOptions,
        data: String,
        _ reading: ReadingOptions,
        _ options: FeatureEvaluationOptions,
        json: Bool
    ) async throws {
        guard !options.linear, options.features == nil, options.saveFeatures == nil,
            !options.tokens.areGiven
        else {
            throw CommandFailure(
                "\(checkpoint.checkpoint) is an index and is evaluated with its stored features; "
                    + "only --k and --temperature can be changed",
                exitCode: CommandFailure.wrongCall
            )
        }
        let dataset = try LabelledData.open(
            data,
            .validation,
            for: checkpoint.checkpoint
        )
        let index = try checkpoint.index()
        let features = try await ImageVectors(reading: reading).extract(dataset, for: index)
        let report = try KNNReport.measure(
            train: index.features,
            validation: features,
            k: options.counts() ?? [index.settings.k],
            temperature: options.temperature ?? index.settings.temperature
        )
        try KNNText.print(report, json: json)
    }
}

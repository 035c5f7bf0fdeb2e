import Checkpoints
public import Datasets
import Foundation
public import ImagePipeline
import VisionModels

/// What a model would see of a data set under some options: for looking at and for measuring, without a model.
public struct RecipeImages: Sendable {
    /// The images to learn from; all of them where the data is not divided into parts.
    public let dataset: any ImageDataset
    /// The random way from an image to a training example.
    public let transform: TrainingTransform
    /// The ways to the several crops of an image, where the recipe makes some.
    public let crops: MultiCrop?
    /// The way from an image to the model's input in evaluation.
    public let processor: ImageProcessor
    /// The rows and columns of the model's input.
    public let size: (height: Int, width: Int)

    private let options: TrainingOptions

    /// Opens the data and finds out what the options do to it.
    ///
    /// - Parameter options: The options; `data` and the model decide together with those of augmentation and mixing.
    /// - Throws: `OptionError` for options that contradict one another, `DatasetError` for data that cannot be used.
    public init(_ options: TrainingOptions) throws {
        guard !options.data.isEmpty else {
            throw OptionError.conflict("no data: give --data FOLDER")
        }
        let location = try DatasetLocation(path: options.data, labels: options.labelFormat)
        let limit = options.trainLimit.map {
            DatasetLimit.stratified($0, seed: UInt64(bitPattern: Int64(options.seed)))
        }
        dataset = try Self.open(location, limit)
        var options = options
        if options.finetune.isEmpty, options.model == TrainingOptions.modelOfCheckpoint {
            // The recipes for fine-tuning leave the model to the checkpoint; DeiT's input is used here.
            options.model = TrainingOptions().model
        }
        let names = dataset.classNames
        let description =
            try options.finetune.isEmpty
            ? ClassifierFactory.description(options, classNames: names)
            : FineTuning.description(options, classNames: names)
        processor = description.processor
        size = description.configuration.imageSize
        do throws(ImageError) {
            transform = try Augmentation.transform(
                options,
                description.configuration,
                description.processor
            )
        } catch {
            // Nothing but the options is wrong: no image was read.
            throw OptionError.conflict(error.reason)
        }
        crops = options.method == .dino ? try DINOSession.crops(options, description) : nil
        self.options = options
    }

    /// The part to learn from, or what there is where the data is not divided into parts.
    private static func open(
        _ location: DatasetLocation,
        _ limit: DatasetLimit?
    ) throws(DatasetError) -> any ImageDataset {
        do throws(DatasetError) {
            return try location.open(.train, limit: limit)
        } catch {
            guard case .missingSplit = error else { throw error }
            return try location.open(.validation, limit: limit)
        }
    }

    /// The loader of training, with the options' mixing and repeats.
    ///
    /// - Parameters:
    ///   - batch: The images of a step; `nil` for the options' own.
    ///   - workers: How many images are made at the same time.
    /// - Returns: The loader.
    /// - Throws: `DatasetError` when an epoch would have no step.
    public func trainingLoader(batch: Int? = nil, workers: Int) throws -> DataLoader {
        try DataLoader(
            dataset: dataset,
            transform: transform,
            plan: EpochPlan(
                count: dataset.count,
                batchSize: batch ?? options.batch,
                seed: StepRandomness.dataSeed(options.seed, attempt: 0),
                repeats: options.repeatedAug ?? 1,
                balancing: options.labelsToBalance(in: dataset)
            ),
            mixing: Augmentation.mixing(options),
            smoothing: options.smoothing,
            workers: workers
        )
    }

    /// The loader of training where the recipe makes several crops of an image, which form one row.
    ///
    /// - Parameters:
    ///   - crops: The ways to them.
    ///   - batch: The images of a step.
    ///   - workers: How many images are made at the same time.
    /// - Returns: The loader.
    /// - Throws: `DatasetError` when an epoch would have no step.
    public func cropLoader(_ crops: MultiCrop, batch: Int, workers: Int) throws -> DataLoader {
        try DataLoader(
            dataset: dataset,
            transform: crops,
            plan: EpochPlan(
                count: dataset.count,
                batchSize: batch,
                seed: StepRandomness.dataSeed(options.seed, attempt: 0)
            ),
            workers: workers
        )
    }

    /// The loader of evaluation: every image once, in order.
    ///
    /// - Parameters:
    ///   - batch: The images of a step.
    ///   - workers: How many images are made at the same time.
    /// - Returns: The loader.
    /// - Throws: `DatasetError` when the values make no sense.
    public func evaluationLoader(batch: Int, workers: Int) throws -> DataLoader {
        try DataLoader(
            dataset: dataset,
            transform: processor,
            plan: EpochPlan(count: dataset.count, batchSize: batch, shuffles: false),
            workers: workers,
            policy: .drop(limit: UnreadablePolicy.usualLimit(count: dataset.count))
        )
    }
}

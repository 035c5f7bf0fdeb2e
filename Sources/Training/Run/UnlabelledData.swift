import Datasets
import ImagePipeline
import Inference
import Torch
import TorchNN

/// The images of a run that learns without labels, opened and checked.
struct UnlabelledData: Sendable {
    let options: TrainingOptions
    let train: any ImageDataset
    /// Images that are not learnt from, to measure by or to look at; nil where there are none with labels.
    let validation: (any ImageDataset)?
    let workers: Int
    /// Whether the validation images are a share of the data that the run held out itself.
    let holdsOut: Bool
    /// The part of every batch that this process computes; nil for all of it.
    var share: BatchShare?

    /// Checks the options of any method without labels, before anything is opened.
    static func check(
        _ options: TrainingOptions,
        for method: TrainingMethod
    ) throws(OptionError) {
        guard options.method == method else {
            throw .conflict(
                "the recipe is for \(options.method.command), not for \(method.command)"
            )
        }
        guard !options.data.isEmpty else {
            throw .conflict("no data: give --data FOLDER with images; labels are not needed")
        }
        if options.accumulation > options.batch {
            throw .conflict(
                "a batch of \(options.batch) cannot be divided into \(options.accumulation) parts: "
                    + "choose a smaller --accumulation"
            )
        }
    }

    /// Opens the data.
    ///
    /// - Throws: `DatasetError` where it cannot be used, or would give an epoch without a step.
    init(_ options: TrainingOptions) throws {
        self.options = options
        workers = options.workerCount
        let limits = options.datasetLimits
        let location = try options.datasetLocation()
        (train, validation) = try location.openUnlabelled(
            trainLimit: limits.train,
            validationLimit: limits.validation
        )
        holdsOut = try validation != nil && location.holdsOutAShare()
        guard options.batch <= train.count else {
            throw DatasetError.invalid(
                "a batch of \(options.batch) is larger than the data of \(train.count) images in \(options.data), "
                    + "so there would be no steps; choose a smaller --batch"
            )
        }
    }

    /// Opens the data of a new run, or that of a run that goes on, which must be what it was.
    init(_ request: RunRequest) throws {
        try self.init(request.options)
        share = request.group.map { BatchShare(rank: $0.rank, size: $0.size) }
        try request.resuming?.checkData(
            train: train,
            validation: validation?.count ?? 0,
            run: request.output
        )
    }

    /// What follows from options, data and network.
    func plan(_ request: RunRequest, parameterCount: Int, policy: ComputePolicy) -> RunPlan {
        RunPlan(
            options: options,
            trainCount: train.count,
            imagesPerEpoch: train.count,
            validationCount: validation?.count ?? 0,
            classNames: train.classNames,
            parameterCount: parameterCount,
            policy: policy,
            workers: workers,
            fingerprint: train.fingerprint,
            holdsOut: holdsOut,
            processes: request.group?.size ?? 1
        )
    }

    /// The loader of an attempt at training.
    func trainingLoader(_ transform: any ImageTransform, attempt: Int) throws -> DataLoader {
        try .training(
            train,
            transform,
            options,
            workers: workers,
            attempt: attempt,
            share: share
        )
    }
}

extension DataLoader {
    /// The loader of an attempt at training; a rolled-back run goes on in another order.
    static func training(
        _ dataset: any ImageDataset,
        _ transform: any ImageTransform,
        _ options: TrainingOptions,
        workers: Int,
        attempt: Int,
        share: BatchShare? = nil
    ) throws -> DataLoader {
        try DataLoader(
            dataset: dataset,
            transform: transform,
            plan: EpochPlan(
                count: dataset.count,
                batchSize: options.batch,
                seed: StepRandomness.dataSeed(options.seed, attempt: attempt),
                dropsLast: true,
                repeats: options.repeatedAug ?? 1,
                balancing: options.labelsToBalance(in: dataset)
            ).shared(share),
            mixing: Augmentation.mixing(options),
            smoothing: options.smoothing,
            workers: workers,
            policy: .replace(limit: options.skipLimit)
        ).staged(on: ComputePolicy.current.device)
    }
}

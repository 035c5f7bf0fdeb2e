import Datasets
import ImagePipeline
import Inference
import TorchNN

/// The images of a run, opened and checked, and the loaders over them.
struct RunData: Sendable {
    private(set) var options: TrainingOptions
    let train: any ImageDataset
    let validation: any ImageDataset
    /// Whether the validation images are a share of the data that the run held out itself.
    let holdsOut: Bool
    /// How many batches are made at the same time.
    let workers: Int
    /// The images that an epoch shows.
    let imagesPerEpoch: Int
    /// The part of every batch that this process computes; nil for all of it.
    var share: BatchShare?

    /// Opens both parts of the data.
    ///
    /// - Throws: `DatasetError` where they cannot be used, or would give an epoch without a step.
    init(_ options: TrainingOptions) throws {
        self.options = options
        workers = options.workerCount
        let limits = options.datasetLimits
        let location = try options.datasetLocation()
        holdsOut = try location.holdsOutAShare()
        (train, validation) = try location.openBoth(
            trainLimit: limits.train,
            validationLimit: limits.validation
        )
        try LabelCheck.check(options, train)
        let plan = try EpochPlan(
            count: train.count,
            batchSize: 1,
            repeats: options.repeatedAug ?? 1
        )
        imagesPerEpoch = plan.viewsPerEpoch
        try Self.check(
            options,
            imagesPerEpoch: imagesPerEpoch,
            classes: train.classNames.count,
            path: options.data
        )
    }

    /// The same images, read as other options say that choose the same ones.
    ///
    /// - Throws: `DatasetError` where they would give an epoch without a step.
    func read(with options: TrainingOptions) throws(DatasetError) -> RunData {
        do throws(OptionError) { try LabelCheck.check(options, train) } catch {
            throw .invalid("\(error)")
        }
        try Self.check(
            options,
            imagesPerEpoch: imagesPerEpoch,
            classes: train.classNames.count,
            path: options.data
        )
        var data = self
        data.options = options
        return data
    }

    var classNames: [String] { train.classNames }

    /// Whether images may have several labels or none.
    var isMultiLabel: Bool { train.isMultiLabel }

    /// The loader of an attempt at training; a rolled-back run goes on in another order.
    func trainingLoader(_ transform: TrainingTransform, attempt: Int) throws -> DataLoader {
        try .training(
            train,
            transform,
            options,
            workers: workers,
            attempt: attempt,
            share: share
        )
    }

    /// The loader for measuring: every image once, in order.
    func validationLoader(_ processor: ImageProcessor) throws -> DataLoader {
        let batch = (options.batch + options.accumulation - 1) / options.accumulation
        return try DataLoader(
            dataset: validation,
            transform: processor,
            plan: EpochPlan(count: validation.count, batchSize: batch, shuffles: false)
                .shared(share),
            workers: workers,
            policy: .drop(limit: min(options.skipLimit, validation.count - 1))
        ).staged(on: ComputePolicy.current.device)
    }

    /// Options that the data does not allow.
    static func check(
        _ options: TrainingOptions,
        imagesPerEpoch: Int,
        classes: Int,
        path: String
    ) throws(DatasetError) {
        guard classes >= 2 else {
            throw .invalid(
                "\(path) has only one class; a classifier needs at least two"
            )
        }
        guard options.batch <= imagesPerEpoch else {
            throw .invalid(
                "a batch of \(options.batch) is larger than an epoch of \(imagesPerEpoch) training images, "
                    + "so there would be no steps; choose a smaller --batch"
            )
        }
    }
}

extension RunManifest {
    /// Makes sure that a resumed run reads what it read before.
    func checkData(
        train: any ImageDataset,
        validation: Int,
        run: String
    ) throws(TrainingError) {
        if (train.count, validation) != counts {
            throw .otherData(
                run: run,
                difference: "\(train.count) training and \(validation) validation images, "
                    + "not \(counts.train) and \(counts.validation)"
            )
        }
        if train.classNames != classNames {
            throw .otherData(run: run, difference: "other classes")
        }
        if let fingerprint, !train.hasFingerprint(fingerprint) {
            throw .otherData(
                run: run,
                difference:
                    "training images of other names, in another order or with other labels"
            )
        }
    }
}

extension ImageDataset {
    /// A number (FNV-1a, hexadecimal) of all images' names, without the folders that they lie in, and labels, in order.
    ///
    /// It does not depend on how the path of the data is spelled, nor on its location.
    var fingerprint: String { fingerprint(slash: true) }

    /// Whether this is the fingerprint, or that of earlier versions, where names without a folder had no slash.
    func hasFingerprint(_ text: String) -> Bool {
        text == fingerprint || text == fingerprint(slash: false)
    }

    private func fingerprint(slash: Bool) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for index in 0..<count {
            let name = Array(name(at: index).utf8)
            let start = name.lastIndex(of: UInt8(ascii: "/"))
            if slash, start == nil { add(UInt8(ascii: "/")) }
            for byte in name[(start ?? 0)...] { add(byte) }
            add(0)
            // Of several labels the end is marked by one that no class has.
            for label in labels(at: index) + (isMultiLabel ? [-1] : []) {
                withUnsafeBytes(of: Int32(label).littleEndian) { $0.forEach(add) }
            }
        }
        return String(hash, radix: 16)
    }
}

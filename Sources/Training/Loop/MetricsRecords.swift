import Inference
import Storage

/// One line of `metrics.jsonl` every few steps: the means since the last such line.
struct StepRecord: Encodable {
    let event = "step"
    let step: Int
    let epoch: Int
    let trainLoss: Double
    let trainTop1: Double?
    let lr: Double
    let imagesPerSecond: Double
    let dataWait: Double
    /// What else the method watches, by name.
    let others: [String: Double]

    enum CodingKeys: CodingKey {
        case event, step, epoch, trainLoss, trainTop1, lr, imagesPerSecond, dataWait
    }

    init(step: Int, epoch: Int, sums: EpochSums, lr: Double, scoresLabels: Bool) {
        self.step = step
        self.epoch = epoch
        trainLoss = sums.meanLoss
        trainTop1 = scoresLabels ? sums.top1 : nil
        self.lr = lr
        imagesPerSecond = sums.imagesPerSecond
        dataWait = sums.dataWait
        others = sums.means
    }

    /// The numbers by their names in TensorBoard.
    var scalars: [(name: String, value: Double)] {
        let always = [
            ("train/loss", trainLoss), ("train/lr", lr),
            ("speed/images_per_second", imagesPerSecond), ("speed/data_wait", dataWait),
        ]
        return always + (trainTop1.map { [("train/top1", $0)] } ?? [])
            + others.sorted { $0.key < $1.key }.map { ("train/\($0.key)", $0.value) }
    }
}

/// One line of `metrics.jsonl` for each epoch; epochs count from 1 here.
struct EpochRecord: Encodable {
    let event = "epoch"
    let epoch: Int
    let step: Int
    let trainLoss: Double
    let trainTop1: Double?
    let lr: Double
    let valLoss: Double?
    let valTop1: Double?
    let valClsTop1: Double?
    let valDistTop1: Double?
    let emaValLoss: Double?
    let emaValTop1: Double?
    let emaValClsTop1: Double?
    let emaValDistTop1: Double?
    let valMacroF1: Double?
    let valBalancedAccuracy: Double?
    let emaValMacroF1: Double?
    let emaValBalancedAccuracy: Double?
    /// The numbers of each class, of the weights and of their average; nil where there are many classes.
    let valPrecision: [Double?]?
    let valRecall: [Double?]?
    let valF1: [Double?]?
    let emaValPrecision: [Double?]?
    let emaValRecall: [Double?]?
    let emaValF1: [Double?]?
    /// Of images with several labels, of the weights and of their average; the average precision of each class is nil where
    /// there are many classes.
    let valMap: Double?
    let valClsMap: Double?
    let valDistMap: Double?
    let valMicroF1: Double?
    let valAveragePrecision: [Double?]?
    let emaValMap: Double?
    let emaValClsMap: Double?
    let emaValDistMap: Double?
    let emaValMicroF1: Double?
    let emaValAveragePrecision: [Double?]?
    let knnTop1: Double?
    let bestTop1: Double?
    /// The metric by which the best checkpoint is chosen and its value; nil for top-1, which ``bestTop1`` has.
    let bestMetric: String?
    let bestValue: Double?
    let seconds: Double
    let imagesPerSecond: Double
    let dataWait: Double
    let skippedSteps: Int
    let unreadableImages: Int
    /// What else the method watches, by name.
    let others: [String: Double]

    enum CodingKeys: CodingKey {
        case event, epoch, step, trainLoss, trainTop1, lr, valLoss, valTop1, valClsTop1, valDistTop1
        case emaValLoss, emaValTop1, emaValClsTop1, emaValDistTop1, knnTop1, bestTop1, seconds
        case valMacroF1, valBalancedAccuracy, emaValMacroF1, emaValBalancedAccuracy
        case valPrecision, valRecall, valF1, emaValPrecision, emaValRecall, emaValF1
        case valMap, valClsMap, valDistMap, valMicroF1, valAveragePrecision
        case emaValMap, emaValClsMap, emaValDistMap, emaValMicroF1, emaValAveragePrecision
        case bestMetric, bestValue
        case imagesPerSecond, dataWait, skippedSteps, unreadableImages
    }

    /// The most classes whose numbers are recorded one by one.
    private static let classLimit = 100

    private static func classes(_ score: ValidationScore?) -> [ClassScore]? {
        score?.classes.flatMap { $0.count <= classLimit ? $0 : nil }
    }

    init(_ report: EpochReport) {
        epoch = report.epoch
        step = report.step
        trainLoss = report.training.meanLoss
        trainTop1 = report.scoresLabels ? report.training.top1 : nil
        lr = report.lr
        valLoss = report.validationLoss
        let (validation, average) = (report.validation, report.average)
        let isMultiLabel = validation?.isMultiLabel == true
        valTop1 = isMultiLabel ? nil : validation?.top1
        valClsTop1 = report.validation?.clsTop1
        valDistTop1 = report.validation?.distTop1
        emaValLoss = report.average?.loss
        emaValTop1 = isMultiLabel ? nil : average?.top1
        emaValClsTop1 = report.average?.clsTop1
        emaValDistTop1 = report.average?.distTop1
        valMacroF1 = report.validation?.macroF1
        valBalancedAccuracy = isMultiLabel ? nil : validation?.balancedAccuracy
        emaValMacroF1 = report.average?.macroF1
        emaValBalancedAccuracy = isMultiLabel ? nil : average?.balancedAccuracy
        let (classes, averages) = (
            Self.classes(report.validation), Self.classes(report.average)
        )
        valPrecision = classes?.map(\.precision)
        valRecall = classes?.map(\.recall)
        valF1 = classes?.map(\.f1)
        emaValPrecision = averages?.map(\.precision)
        emaValRecall = averages?.map(\.recall)
        emaValF1 = averages?.map(\.f1)
        valMap = validation?.meanAveragePrecision
        valClsMap = validation?.clsMeanAveragePrecision
        valDistMap = validation?.distMeanAveragePrecision
        valMicroF1 = validation?.microF1
        valAveragePrecision = classes == nil ? nil : validation?.averagePrecisions
        emaValMap = average?.meanAveragePrecision
        emaValClsMap = average?.clsMeanAveragePrecision
        emaValDistMap = average?.distMeanAveragePrecision
        emaValMicroF1 = average?.microF1
        emaValAveragePrecision = averages == nil ? nil : average?.averagePrecisions
        knnTop1 = report.knnTop1
        bestTop1 = isMultiLabel ? nil : report.best?.top1
        bestMetric = report.best?.metric?.rawValue
        bestValue = report.best?.metricValue
        seconds = report.seconds
        imagesPerSecond = report.training.imagesPerSecond
        dataWait = report.training.dataWait
        skippedSteps = report.skippedSteps
        unreadableImages = report.unreadableImages
        others = report.training.means
    }

    /// The numbers by their names in TensorBoard.
    var scalars: [(name: String, value: Double)] {
        let sometimes = [
            ("epoch/train_top1", trainTop1), ("val/loss", valLoss), ("val/top1", valTop1),
            ("val/knn_top1", knnTop1), ("val/best_top1", bestTop1),
            ("val/cls_top1", valClsTop1), ("val/dist_top1", valDistTop1),
            ("val/map", valMap), ("val/micro_f1", valMicroF1), ("val/ema_map", emaValMap),
            ("val/macro_f1", valMacroF1), ("val/balanced_accuracy", valBalancedAccuracy),
            ("val/ema_loss", emaValLoss), ("val/ema_top1", emaValTop1),
            ("val/ema_macro_f1", emaValMacroF1),
            ("val/ema_balanced_accuracy", emaValBalancedAccuracy),
        ]
        return [("epoch/train_loss", trainLoss)]
            + sometimes.compactMap { name, value in value.map { (name, $0) } }
            + others.sorted { $0.key < $1.key }.map { ("epoch/\($0.key)", $0.value) }
    }
}

/// A record with additional numbers.
struct WithNumbers<Record: Encodable>: Encodable {
    let record: Record
    let numbers: [String: Double]

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        for (name, value) in numbers { try container.encode(value, forKey: Key(name)) }
    }
}

/// One line of `metrics.jsonl` for what was measured before the first step.
struct StartRecord: Encodable {
    let event = "start"
    let step = 0
}

/// One line of `metrics.jsonl` for a step that was skipped because its loss was not finite.
struct SkippedRecord: Encodable {
    let event = "skipped"
    let step: Int
    let epoch: Int
    let trainLoss: Double
    let gradientNorm: Double?
    let lr: Double
    let diagnosis: String
}

/// One line of `metrics.jsonl` for a return to the last good checkpoint.
struct RollbackRecord: Encodable {
    let event = "rollback"
    let step: Int
    let backTo: Int
    let diagnosis: String
}

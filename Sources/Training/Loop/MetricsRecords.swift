/// One line of `metrics.jsonl` every few steps: the means since the last such line.
struct StepRecord: Encodable {
    let event = "step"
    let step: Int
    let epoch: Int
    let trainLoss: Double
    let trainTop1: Double
    let lr: Double
    let imagesPerSecond: Double
    let dataWait: Double

    init(step: Int, epoch: Int, sums: EpochSums, lr: Double) {
        self.step = step
        self.epoch = epoch
        trainLoss = sums.meanLoss
        trainTop1 = sums.top1
        self.lr = lr
        imagesPerSecond = sums.imagesPerSecond
        dataWait = sums.dataWait
    }

    /// The numbers by their names in TensorBoard.
    var scalars: [(name: String, value: Double)] {
        [
            ("train/loss", trainLoss), ("train/top1", trainTop1), ("train/lr", lr),
            ("speed/images_per_second", imagesPerSecond), ("speed/data_wait", dataWait),
        ]
    }
}

/// One line of `metrics.jsonl` for each epoch; epochs count from 1 here.
struct EpochRecord: Encodable {
    let event = "epoch"
    let epoch: Int
    let step: Int
    let trainLoss: Double
    let trainTop1: Double
    let lr: Double
    let valLoss: Double
    let valTop1: Double
    let valClsTop1: Double?
    let valDistTop1: Double?
    let emaValLoss: Double?
    let emaValTop1: Double?
    let emaValClsTop1: Double?
    let emaValDistTop1: Double?
    let bestTop1: Double
    let seconds: Double
    let imagesPerSecond: Double
    let dataWait: Double
    let skippedSteps: Int
    let unreadablePictures: Int

    init(_ report: EpochReport) {
        epoch = report.epoch
        step = report.step
        trainLoss = report.training.meanLoss
        trainTop1 = report.training.top1
        lr = report.lr
        valLoss = report.validation.loss
        valTop1 = report.validation.top1
        valClsTop1 = report.validation.clsTop1
        valDistTop1 = report.validation.distTop1
        emaValLoss = report.average?.loss
        emaValTop1 = report.average?.top1
        emaValClsTop1 = report.average?.clsTop1
        emaValDistTop1 = report.average?.distTop1
        bestTop1 = report.best.top1
        seconds = report.seconds
        imagesPerSecond = report.training.imagesPerSecond
        dataWait = report.training.dataWait
        skippedSteps = report.skippedSteps
        unreadablePictures = report.unreadablePictures
    }

    /// The numbers by their names in TensorBoard.
    var scalars: [(name: String, value: Double)] {
        let always = [
            ("epoch/train_loss", trainLoss), ("epoch/train_top1", trainTop1), ("val/loss", valLoss),
            ("val/top1", valTop1), ("val/best_top1", bestTop1),
        ]
        let sometimes = [
            ("val/cls_top1", valClsTop1), ("val/dist_top1", valDistTop1),
            ("val/ema_loss", emaValLoss),
            ("val/ema_top1", emaValTop1),
        ]
        return always + sometimes.compactMap { name, value in value.map { (name, $0) } }
    }
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

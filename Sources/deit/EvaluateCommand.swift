import ArgumentParser
import Checkpoints
import Datasets
import Evaluation
import Foundation
import Inference
import Storage
import Torch
import TorchNN
import VisionModels

/// `deit evaluate`: how often a model is right.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Evaluate a model on labelled images.",
        discussion: """
            Examples:
              deit evaluate runs/first --data DIR
              deit evaluate tiny.safetensors --labels synsets.txt --data DIR --json
              deit evaluate runs/first --data DIR --size 288 --resample timm
              deit evaluate runs/first --data DIR --report reports/first
              deit evaluate dino.pth --data DIR --knn --save-features f.safetensors
              deit evaluate dino.pth --data DIR --linear --blocks 4
              deit evaluate flowers.index --data DIR

            DIR contains val/CLASS/ or CLASS/, CIFAR files, IDX files, a list or tar shards; it \
            can also be a list (.csv) or an archive (.tar). If a run held out images of DIR from \
            training, exactly these are evaluated. Classes are matched with the model's by name \
            or synset, and may be a subset. Unreadable images are skipped and reported. A \
            distilled model predicts with the mean of its two heads.

            A model of several labels an image (problem_type multi_label_classification) is \
            measured by mean average precision (mAP) and by F1 at its thresholds.

            --knn and --linear evaluate features instead of the classifier, which the model may \
            lack: by the nearest neighbours in the training split, as in DINO's eval_knn.py, or \
            by a logistic regression, with the same minimum as scikit-learn's \
            LogisticRegression. An index (`deit index`) is evaluated with its own images as \
            neighbours.
            """
    )

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(help: "Labelled images: a directory, a list or an archive.")
    var data: String

    @OptionGroup var labels: LabelOptions

    @OptionGroup var sizes: SizeOptions

    @OptionGroup var reading: ReadingOptions

    @Option(
        help: ArgumentHelp(
            "Write a report to this directory: classes, confusions, calibration, predictions.",
            valueName: "folder"
        )
    )
    var report: String?

    @OptionGroup(title: "By features") var features: FeatureEvaluationOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    @ModelActor
    func run() async throws {
        // The workers need the processors that idle threads would spin on.
        OpenMPWaiting.spinBriefly()
        guard report == nil || !(checkpoint.isIndex || features.isUsed) else {
            throw CommandFailure(
                "--report needs the model's classifier: leave it out with --knn, --linear or an index",
                exitCode: CommandFailure.wrongCall
            )
        }
        guard !checkpoint.isIndex else {
            return try await IndexEvaluation.run(
                checkpoint,
                data: data,
                reading,
                features,
                json: json
            )
        }
        guard !features.isUsed else {
            return try await FeatureEvaluation(
                checkpoint: checkpoint,
                data: data,
                sizes: sizes,
                reading: reading,
                options: features,
                json: json
            ).run()
        }
        guard features.k == nil, features.temperature == nil else {
            throw CommandFailure(
                "--k and --temperature need --knn",
                exitCode: CommandFailure.wrongCall
            )
        }
        let isMultiLabel = try await predictsSeveralLabels()
        let dataset = try LabelledData.open(
            data,
            .validation,
            for: checkpoint.checkpoint,
            labels.format(isMultiLabel: isMultiLabel)
        )
        let predictor = try await sizes.predictor(checkpoint, isPacked: true)
        let loaded = predictor.loaded
        guard loaded.model.numClasses > 0 else {
            throw InferenceError.noClassifier(path: checkpoint.checkpoint)
        }
        if !isMultiLabel { try Evaluator.requireSingleLabel(loaded) }
        let mapping = try ClassMapping(of: dataset.classNames, in: loaded.description.labels)
        if let report { try EvaluationFiles.prepare(report) }
        let loader = try reading.loader(dataset, predictor)
        if isMultiLabel {
            try await evaluateLabels(predictor, dataset, loader, mapping)
        } else {
            try await evaluate(predictor, dataset, loader, mapping)
        }
    }

    /// Whether an image may have several labels for the model, by which the data is read.
    ///
    /// Its weights are loaded only once the data is known to be there. What cannot be described fails when it is loaded,
    /// with the reason.
    private func predictsSeveralLabels() async throws -> Bool {
        let path = try await CheckpointPath.find(checkpoint.checkpoint)
        let options = try checkpoint.source.options(.noHead)
        return (try? ModelDirectory.description(of: path, options: options))?.isMultiLabel == true
    }

    @ModelActor
    private func evaluate(
        _ predictor: Predictor,
        _ dataset: any ImageDataset,
        _ loader: DataLoader,
        _ mapping: ClassMapping
    ) async throws {
        let status = StatusLine()
        defer { status.clear() }
        let result = try await Evaluator.evaluate(predictor, on: loader, mapping: mapping) {
            status.show($0, of: dataset.count, "images")
        }
        status.clear()
        tell(predictor.loaded, mapping, result.skipped)
        if let report {
            try EvaluationFiles(
                result,
                dataset: dataset,
                labels: predictor.description.labels,
                model: checkpoint.checkpoint,
                data: data
            ).write(to: report)
            StatusLine.note("written: \(report)/report.json and related files")
        }
        let names = dataset.classNames
        try Results.print(
            json ? result.json(classNames: names).text(isIndented: false) : table(result, names)
        )
    }

    @ModelActor
    private func evaluateLabels(
        _ predictor: Predictor,
        _ dataset: any ImageDataset,
        _ loader: DataLoader,
        _ mapping: ClassMapping
    ) async throws {
        let status = StatusLine()
        defer { status.clear() }
        let result = try await Evaluator.evaluateLabels(predictor, on: loader, mapping: mapping) {
            status.show($0, of: dataset.count, "images")
        }
        status.clear()
        tell(predictor.loaded, mapping, result.skipped)
        if !result.hasOwnThresholds {
            StatusLine.note("the model has no thresholds: a class is predicted from 50 %")
        }
        if let report {
            try MultiLabelFiles(
                result,
                dataset: dataset,
                model: checkpoint.checkpoint,
                data: data
            ).write(to: report)
            StatusLine.note("written: \(report)/report.json and related files")
        }
        let names = dataset.classNames
        try Results.print(
            json
                ? result.json(classNames: names).text(isIndented: false)
                : MultiLabelTable.text(result, names)
        )
    }

    /// Prints what a person should know of the model and the data.
    @ModelActor
    private func tell(_ loaded: LoadedModel, _ mapping: ClassMapping, _ skipped: SkippedImages) {
        checkpoint.tellAssumptions(loaded)
        if mapping.isByOrder {
            StatusLine.note(
                "assumed: classes in the same order, as model or data has no class names"
            )
        }
        reading.tell(skipped)
    }

    private func table(_ report: EvaluationReport, _ names: [String]) -> String {
        func percent(_ share: Double) -> String { String(format: "%6.2f %%", share * 100) }
        func right(_ share: Double) -> String {
            "\(percent(share))  \(Int((share * Double(report.count)).rounded())) of \(report.count)"
        }
        var lines = [
            "top-1              \(right(report.top1))", "top-5              \(right(report.top5))",
        ]
        if let cls = report.clsTop1 { lines.append("class head         \(right(cls))") }
        if let dist = report.distTop1 { lines.append("distillation head  \(right(dist))") }
        if let heads = report.headAgreement {
            lines.append("heads agree        \(right(heads.share))")
        }
        let scores = report.confusion.classScores
        lines.append("balanced accuracy  \(percent(scores.balancedAccuracy))")
        lines.append("macro F1           \(percent(scores.macroF1))")
        lines.append("calibration error  \(percent(report.calibration.expectedError))")
        lines.append(String(format: "loss               %6.4f", report.loss))
        lines.append(String(format: "images/s           %6.1f", report.imagesPerSecond))
        return (lines + ClassTable.lines(scores, names)).joined(separator: "\n")
    }
}

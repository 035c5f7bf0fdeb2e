import Foundation
import Synchronization
import Training

/// Shows how training goes: one updating line on a terminal, plain lines elsewhere.
final class ProgressPrinter: TrainingObserver {
    private let method: TrainingMethod
    private let clock = ContinuousClock()
    private let started: ContinuousClock.Instant
    private var lastShown: ContinuousClock.Instant
    private var lineIsOpen = false
    private var stepsHere = 0

    /// Creates a printer for runs of a method.
    init(_ method: TrainingMethod) {
        self.method = method
        started = clock.now
        lastShown = clock.now
    }

    func didFinish(step report: StepReport) {
        stepsHere += 1
        let interval: Duration = Console.isTerminal ? .milliseconds(200) : .seconds(10)
        guard clock.now - lastShown >= interval else { return }
        lastShown = clock.now
        let text = line(report)
        if Console.isTerminal {
            Console.update(text)
            lineIsOpen = true
        } else {
            Console.line(text)
        }
    }

    func didFinish(epoch report: EpochReport) {
        closeLine()
        lastShown = clock.now
        var parts = [
            "epoch \(report.epoch)/\(report.epochs)",
            "loss \(Self.fixed(report.training.meanLoss, 4))",
        ]
        parts += Self.means(report.training)
        if let validation = report.validation {
            if report.scoresLabels {
                parts.append("accuracy \(Self.percent(report.training.top1))")
            }
            parts += [
                "| val loss \(Self.fixed(validation.loss, 4))", Self.main(validation, "top-1"),
            ]
            // The loss and the main score stand there already.
            if let metric = report.best?.metric, metric != .loss, metric != .map,
                let value = validation.value(metric)
            {
                parts.append("\(metric.title) \(Self.text(value, metric))")
            }
            let heads = (
                validation.clsMeanAveragePrecision ?? validation.clsTop1,
                validation.distMeanAveragePrecision ?? validation.distTop1
            )
            if let cls = heads.0, let dist = heads.1 {
                parts.append("(class \(Self.percent(cls)), dist \(Self.percent(dist)))")
            }
        }
        if let knn = report.knnTop1 { parts.append("| kNN \(Self.percent(knn))") }
        if let average = report.average { parts.append(Self.main(average, "ema")) }
        parts.append("| \(Int(report.training.imagesPerSecond)) images/s,")
        parts.append("waiting \(Self.percent(report.training.dataWait))")
        if report.isBest { parts.append("best") }
        Console.line(parts.joined(separator: " "))
    }

    func didNotice(_ sentence: String) {
        closeLine()
        Console.complain(sentence)
    }

    /// The score that a person reads first: top-1, of images with several labels mAP and F1.
    private static func main(_ score: ValidationScore, _ name: String) -> String {
        guard score.isMultiLabel else { return "\(name) \(percent(score.top1))" }
        let map = score.meanAveragePrecision.map(percent) ?? "-"
        let f1 = score.microF1.map(percent) ?? "-"
        return (name == "ema" ? "ema " : "") + "mAP \(map) micro F1 \(f1)"
    }

    /// Ends the updating line, so that the next output starts on a new line.
    func closeLine() {
        if lineIsOpen { Console.line("") }
        lineIsOpen = false
    }

    /// Measurements of a method other than the loss, for its line.
    private static func means(_ sums: EpochSums) -> [String] {
        let means = sums.means
        return [
            ("ln_k", "of ln K", 3), ("teacher_entropy", "entropy", 2), ("kl_uniform", "KL", 2),
            ("feature_std", "spread", 3), ("center_norm", "centre", 2),
        ]
        .compactMap { key, name, digits in means[key].map { "\(name) \(fixed($0, digits))" } }
    }

    private func line(_ report: StepReport) -> String {
        let perStep = (clock.now - started) / max(stepsHere, 1)
        let left = perStep * (report.totalSteps - report.step)
        let watched = Self.means(report.sums)
        var parts = [
            "epoch \(report.epoch + 1)/\(report.epochs)",
            "step \(report.step)/\(report.totalSteps)",
            "loss \(Self.fixed(report.sums.meanLoss, 4))",
        ]
        if method == .supervised, report.scoresLabels {
            parts.append("accuracy \(Self.percent(report.sums.top1))")
        }
        if !watched.isEmpty { parts.append(watched.joined(separator: " ")) }
        parts += [
            "lr \(Self.scientific(report.lr))",
            "\(Int(report.sums.imagesPerSecond)) images/s",
            "ETA \(Self.time(left))",
        ]
        return parts.joined(separator: "  ")
    }

    static func fixed(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }

    static func percent(_ share: Double) -> String { fixed(100 * share, 1) + " %" }

    /// A validation score: the loss as it is, all others in per cent.
    static func text(_ value: Double, _ metric: BestMetric) -> String {
        metric == .loss ? fixed(value, 4) : percent(value)
    }

    static func scientific(_ value: Double) -> String { String(format: "%.2e", value) }

    static func time(_ duration: Duration) -> String {
        let seconds = Int(duration.components.seconds)
        let (minutes, rest) = seconds.quotientAndRemainder(dividingBy: 60)
        guard minutes >= 60 else { return String(format: "%d:%02d", minutes, rest) }
        return String(format: "%d:%02d:%02d", minutes / 60, minutes % 60, rest)
    }
}

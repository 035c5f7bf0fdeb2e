import Foundation
import Storage

/// The steps that fit into the time of a run, fixed once before its first step.
///
/// It lies as `time-plan.json` in the run's folder; a resumed run reads it, whatever its own speed.
struct TimePlan: Codable, Sendable, Equatable {
    /// The file's name in the run's folder.
    static let fileName = "time-plan.json"

    /// The time of the run in seconds.
    var time: Double
    /// The steps of the run.
    var steps: Int
    /// The seconds of a step, waiting for images included.
    var secondsPerStep: Double
    /// The seconds of an epoch's end: validation and checkpoint.
    var secondsPerEpochEnd: Double
    /// The seconds that were used before the first step.
    var secondsBefore: Double

    /// Finds the number of steps that fit.
    ///
    /// - Parameters:
    ///   - time: The time of the run in seconds.
    ///   - pace: How fast it is.
    ///   - secondsBefore: The seconds that are used already.
    ///   - stepsPerEpoch: The steps of an epoch, at least 1.
    ///   - limit: The most steps that the run may have.
    init(
        _ time: Double,
        _ pace: Pace,
        secondsBefore: Double,
        stepsPerEpoch: Int,
        limit: Int
    ) {
        self.time = time
        self.secondsBefore = secondsBefore
        secondsPerStep = pace.secondsPerStep
        secondsPerEpochEnd = pace.secondsPerEpochEnd
        let left = max(0, time - secondsBefore)
        let epoch = Double(stepsPerEpoch) * pace.secondsPerStep + pace.secondsPerEpochEnd
        let whole = (left / max(epoch, 1e-9)).rounded(.down)
        guard whole * Double(stepsPerEpoch) < Double(limit) else {
            steps = limit
            return
        }
        // The rest is a part of an epoch, which has an end like the others.
        let rest = left - whole * epoch - pace.secondsPerEpochEnd
        let part = max(0, (rest / max(pace.secondsPerStep, 1e-9)).rounded(.down))
        steps = min(limit, max(1, Int(whole) * stepsPerEpoch + Int(min(part, 1e9))))
    }

    /// The seconds that the whole run is expected to take.
    func expectedSeconds(stepsPerEpoch: Int) -> Double {
        let ends = (steps + stepsPerEpoch - 1) / stepsPerEpoch
        return secondsBefore + Double(steps) * secondsPerStep + Double(ends) * secondsPerEpochEnd
    }

    /// How fast a run is.
    struct Pace: Sendable, Equatable {
        /// The seconds of a step, waiting for images included.
        var secondsPerStep: Double
        /// The seconds of an epoch's end: validation and checkpoint.
        var secondsPerEpochEnd: Double
    }

    /// Reads the plan of a run; nil where it has none.
    static func read(in run: String) throws(RunError) -> TimePlan? {
        let path = "\(run)/\(fileName)"
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard let plan = try? JSONDecoder().decode(TimePlan.self, from: data), plan.steps > 0 else {
            throw .unreadable(path: path, reason: "it is damaged")
        }
        return plan
    }

    /// Writes the plan into the folder of a run.
    func write(to run: RunDirectory) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try run.write(Array(encoder.encode(self)), to: Self.fileName)
    }
}

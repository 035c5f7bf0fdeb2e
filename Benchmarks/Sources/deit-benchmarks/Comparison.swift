import Foundation
import Torch

/// Rows that say how many times as fast one thing is as another, and whether that is enough.
///
/// Both are timed in turn in one process, so a row means the same on any machine; no threshold is a time.
@ModelActor
enum Comparison {
    /// How many rows there were.
    private(set) static var count = 0

    /// The rows that stayed below their threshold.
    private(set) static var missed: [String] = []

    // Enough for a median, and little enough for all rows in a minute.
    private static let secondsOfRow = 0.6

    /// Times two things in turn and prints their row.
    ///
    /// - Parameters:
    ///   - name: What is compared.
    ///   - other: What it is compared with, in a word or two.
    ///   - threshold: How many times as fast as the other the first has to be.
    ///   - first: Does it once.
    ///   - second: Does it once the other way.
    /// - Returns: The seconds of one call, each way.
    /// - Throws: What the closures throw.
    @discardableResult
    static func measure(
        _ name: String,
        against other: String,
        atLeast threshold: Double,
        _ first: () throws -> Void,
        _ second: () throws -> Void
    ) throws -> (first: Double, second: Double) {
        // The first call of each sets things up; the second tells how many make a run that a clock can time.
        try first()
        try second()
        let pair = try seconds(first) + seconds(second)
        let calls = max(1, Int(0.004 / pair))
        let repetitions = min(25, max(7, Int(secondsOfRow / pair / Double(calls))))
        let times = try inTurn(repetitions: repetitions, calls: calls) { calls in
            try seconds { for _ in 0..<calls { try first() } }
        } _: { calls in
            try seconds { for _ in 0..<calls { try second() } }
        }
        row(name, against: other, atLeast: threshold, (times.first, times.second), times.ratio)
        return (times.first, times.second)
    }

    /// Prints the row of two times that were measured in turn.
    ///
    /// - Parameters:
    ///   - name: What is compared.
    ///   - other: What it is compared with, in a word or two.
    ///   - threshold: How many times as fast as the other the first has to be.
    ///   - times: The seconds of one call, each way.
    ///   - ratio: How many times as fast the first was; the ratio of the times by default.
    static func row(
        _ name: String,
        against other: String,
        atLeast threshold: Double,
        _ times: (first: Double, second: Double),
        _ ratio: Double? = nil
    ) {
        let ratio = ratio ?? times.second / times.first
        // Not a number is no success.
        let isEnough = ratio >= threshold
        count += 1
        if !isEnough { missed.append(name) }
        print(
            columns(name, 46) + duration(times.first) + "   " + columns(other, 22)
                + duration(times.second)
                + String(format: "%8.2f times, at least %5.2f   ", ratio, threshold)
                + (isEnough ? "ok" : "MISSED")
        )
    }

    private static func columns(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func duration(_ seconds: Double) -> String {
        seconds < 1e-3
            ? String(format: "%8.2f µs", seconds * 1e6) : String(format: "%8.2f ms", seconds * 1e3)
    }
}

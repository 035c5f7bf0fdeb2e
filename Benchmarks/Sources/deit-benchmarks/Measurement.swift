import Foundation

/// The median of several runs, in seconds for one call.
///
/// - Parameters:
///   - repetitions: How many runs.
///   - calls: How many calls a run makes.
///   - run: Makes that many calls and returns the seconds that they took.
/// - Returns: The seconds of one call.
func median(repetitions: Int = 9, calls: Int, _ run: (Int) throws -> Double) rethrows -> Double {
    _ = try run(max(1, calls / 10))
    var times: [Double] = []
    for _ in 0..<repetitions { times.append(try run(calls) / Double(calls)) }
    return times.sorted()[repetitions / 2]
}

/// The fastest runs of two ways to do the same, run in turn so that both see the same machine.
///
/// Overhead adds to every run, and other processes only ever add to some: the fastest run shows it best.
///
/// - Parameters:
///   - repetitions: How many runs of each.
///   - calls: How many calls a run makes.
///   - first: Makes that many calls and returns the seconds that they took.
///   - second: The other way.
/// - Returns: The seconds of one call, each way.
func fastest(
    repetitions: Int = 25,
    calls: Int,
    _ first: (Int) throws -> Double,
    _ second: (Int) throws -> Double
) rethrows -> (first: Double, second: Double) {
    var best = (first: Double.infinity, second: Double.infinity)
    for _ in 0..<repetitions {
        best.first = min(best.first, try first(calls) / Double(calls))
        best.second = min(best.second, try second(calls) / Double(calls))
    }
    return best
}

/// The medians of two ways to do the same, run in turn, and the median of the ratios of neighbouring runs.
///
/// Another process may take a core away for a while, from some runs of an operation that uses all cores and not from
/// others: the fastest run of each then need not have had as many cores. Two neighbours mostly had.
///
/// - Parameters:
///   - repetitions: How many runs of each, at least 1.
///   - calls: How many calls a run makes.
///   - first: Makes that many calls and returns the seconds that they took.
///   - second: The other way.
/// - Returns: The seconds of one call, each way, and how many times as fast the first is.
func inTurn(
    repetitions: Int,
    calls: Int,
    _ first: (Int) throws -> Double,
    _ second: (Int) throws -> Double
) rethrows -> (first: Double, second: Double, ratio: Double) {
    var pairs: [(first: Double, second: Double)] = []
    for _ in 0..<repetitions {
        pairs.append((try first(calls) / Double(calls), try second(calls) / Double(calls)))
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    return (
        median(pairs.map(\.first)), median(pairs.map(\.second)),
        median(pairs.map { $0.second / $0.first })
    )
}

/// Seconds that a closure takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
}

/// Prints one line of the table.
func report(_ name: String, _ value: Double, _ unit: String, _ remark: String = "") {
    let number = String(format: "%12.3f", value)
    print(
        "\(name.padding(toLength: 60, withPad: " ", startingAt: 0))\(number) \(unit)\(remark.isEmpty ? "" : "   \(remark)")"
    )
}

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
        "\(name.padding(toLength: 46, withPad: " ", startingAt: 0))\(number) \(unit)\(remark.isEmpty ? "" : "   \(remark)")"
    )
}

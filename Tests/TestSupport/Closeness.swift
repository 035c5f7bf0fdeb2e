public import Testing

/// Expects two lists of numbers to be equal but for rounding.
///
/// Lengths are compared before values, and a value that is not a number is never close to anything. A failure tells the
/// largest difference, absolute and relative, and where it is.
///
/// - Parameters:
///   - actual: What the code under test returned.
///   - expected: What it should have returned.
///   - tolerance: The largest difference that passes, as a fraction of the largest magnitude in `expected`.
///   - scale: The largest magnitude to measure by, where `expected` is only a sample of a larger tensor.
///   - name: What is compared, for the message.
///   - location: Where a failure is reported.
/// - Returns: Whether they are close.
@discardableResult
public func expectClose(
    _ actual: [Float],
    _ expected: [Float],
    tolerance: Float,
    scale: Float? = nil,
    _ name: String = "values",
    location: SourceLocation = #_sourceLocation
) -> Bool {
    guard let difference = describeDifference(actual, expected, tolerance: tolerance, scale: scale)
    else { return true }
    Issue.record("\(name): \(difference)", sourceLocation: location)
    return false
}

/// Expects a tensor's shape and values to be those given.
///
/// - Parameters:
///   - shape: The shape found.
///   - actual: The values found, in row-major order.
///   - expectedShape: The shape that is right; it is compared first.
///   - expected: The values that are right.
///   - tolerance: The largest difference that passes, as a fraction of the largest magnitude in `expected`.
///   - name: What is compared, for the message.
///   - location: Where a failure is reported.
/// - Returns: Whether the shape is right and the values are close.
@discardableResult
public func expectClose(
    shape: [Int],
    _ actual: [Float],
    expectedShape: [Int],
    _ expected: [Float],
    tolerance: Float,
    _ name: String = "values",
    location: SourceLocation = #_sourceLocation
) -> Bool {
    guard shape == expectedShape else {
        Issue.record("\(name): shape \(shape), expected \(expectedShape)", sourceLocation: location)
        return false
    }
    return expectClose(actual, expected, tolerance: tolerance, name, location: location)
}

/// Tells how two lists differ by more than the tolerance, or returns nil when they do not.
///
/// - Parameters:
///   - actual: What the code under test returned.
///   - expected: What it should have returned.
///   - tolerance: The largest difference that passes, as a fraction of the largest magnitude.
///   - scale: The largest magnitude, where `expected` is only a sample.
/// - Returns: A sentence for a failure's message.
public func describeDifference(
    _ actual: [Float],
    _ expected: [Float],
    tolerance: Float,
    scale: Float? = nil
) -> String? {
    guard actual.count == expected.count else {
        return "\(actual.count) values, expected \(expected.count)"
    }
    guard !expected.isEmpty else { return "nothing to compare: both lists are empty" }
    var largest: Float = 0
    for (index, value) in expected.enumerated() {
        guard value.isFinite else { return "the expected value at \(index) is \(value)" }
        largest = max(largest, abs(value))
    }
    let unit = scale ?? largest
    guard unit.isFinite, unit >= largest else {
        return "the scale \(unit) is below the largest magnitude \(largest)"
    }

    var worst = 0
    var worstDifference: Float = -1
    for index in expected.indices {
        let difference = abs(actual[index] - expected[index])
        // Written so that a difference that is not a number counts as the worst there is.
        guard difference <= worstDifference else {
            worst = index
            worstDifference = difference
            if !difference.isFinite { break }
            continue
        }
    }
    guard worstDifference <= tolerance * unit else {
        let relative = unit > 0 ? worstDifference / unit : .infinity
        return
            "at \(worst) of \(expected.count): \(actual[worst]), expected \(expected[worst]); off by "
            + "\(worstDifference), or \(relative) of the largest magnitude \(unit); allowed is \(tolerance)"
    }
    return nil
}

import TestSupport
import Testing

/// The comparison itself must be able to fail: every parity test rests on it.
@Suite("Comparison", .tags(.parity))
struct ClosenessTests {
    @Test("Equal lists and lists within the tolerance pass")
    func passes() {
        #expect(describeDifference([1, -4, 3], [1, -4, 3], tolerance: 0) == nil)
        #expect(describeDifference([1.003, -4, 3], [1, -4, 3], tolerance: 1e-3) == nil)
    }

    @Test("A larger difference fails and is located")
    func locatesTheWorst() throws {
        let message = try #require(
            describeDifference([1.1, -4.2, 3], [1, -4, 3], tolerance: 1e-3)
        )
        #expect(message.hasPrefix("at 1 of 3: -4.2, expected -4.0"))
    }

    @Test("Lists of different lengths fail", arguments: [[], [1], [1, 2, 3, 4]] as [[Float]])
    func lengths(actual: [Float]) {
        #expect(describeDifference(actual, [1, 2, 3], tolerance: 1) != nil)
    }

    @Test("Values that are not numbers fail", arguments: [Float.nan, .infinity, -.infinity])
    func notANumber(value: Float) {
        #expect(describeDifference([1, value, 3], [1, 2, 3], tolerance: 1e9) != nil)
        #expect(describeDifference([1, 2, 3], [1, value, 3], tolerance: 1e9) != nil)
        #expect(describeDifference([1, value, 3], [1, value, 3], tolerance: 1e9) != nil)
    }

    @Test("Nothing is not compared with nothing, and zeros only with zeros")
    func degenerate() {
        #expect(describeDifference([], [], tolerance: 1) != nil)
        #expect(describeDifference([0, 0], [0, 0], tolerance: 1e-5) == nil)
        #expect(describeDifference([0, 1e-20], [0, 0], tolerance: 1e-5) != nil)
    }
}

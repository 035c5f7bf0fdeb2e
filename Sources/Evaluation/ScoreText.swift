public import Checkpoints
import Foundation

extension ClassScoring {
    /// A score as people read it: a percentage, or a regression's number as it is.
    ///
    /// - Parameters:
    ///   - score: A score that this rule made.
    ///   - digits: The digits after the point of a percentage; numbers have four.
    /// - Returns: The text, such as `46.09 %` or `0.0244`.
    public func text(_ score: Double, digits: Int = 2) -> String {
        isProbability
            ? String(format: "%.*f %%", digits, score * 100) : String(format: "%.4f", score)
    }
}

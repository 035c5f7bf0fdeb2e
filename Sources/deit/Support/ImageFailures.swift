import Evaluation
import ImagePipeline

/// Images that cannot be used, reported one by one while the others are processed.
struct ImageFailures {
    private var count = 0
    private var first: String?

    /// Runs the work on an image; problems are reported and are not errors yet.
    mutating func collect(_ file: String, of total: Int, _ body: () throws -> Void) throws {
        let reason: String
        do {
            return try body()
        } catch let error as ImageError {
            if case .unreadable(_, let detail) = error {
                reason = detail
            } else {
                reason = error.reason
            }
        } catch let error as EvaluationError {
            guard case .tooLarge = error, total > 1 else { throw error }
            reason = error.description
        }
        let sentence = "\(file) cannot be used: \(reason)"
        count += 1
        first = first ?? sentence
        if total > 1 { StatusLine.note(sentence) }
    }

    /// Fails where there was anything, after all else is done.
    func finish(total: Int) throws(CommandFailure) {
        guard let first else { return }
        throw CommandFailure(
            total == 1 ? first : "\(count) of \(total) images cannot be used; see above",
            exitCode: CommandFailure.badData
        )
    }
}

/// Why one of Hugging Face's classes cannot be made, read or used; one sentence each.
public enum PretrainedError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A name or path leads to no model.
    case notFound(String)

    /// What was passed does not fit the model.
    case invalidInput(String)

    /// The sentence.
    public var description: String {
        switch self {
        case .notFound(let text), .invalidInput(let text): text
        }
    }
}

import ArgumentParser
import Evaluation
import Inference
import Training

/// `deit evaluate` by features rather than by the model's own classifier.
struct FeatureEvaluationOptions: ParsableArguments {
    @Flag(
        help: "Evaluate the features with kNN on the training images; the classifier is not used."
    )
    var knn = false

    @Flag(help: "Evaluate the features with a linear classifier fitted to the training images.")
    var linear = false

    @Option(help: "Numbers of neighbours that vote, separated by commas (default: 10,20,100,200).")
    var k: String?

    @Option(help: "Temperature of the votes, above 0 (default: 0.07).")
    var temperature: Double?

    @Option(
        name: .customLong("inverse-l2"),
        help: "Inverse regularization strength C of the linear classifier (default: 1)."
    )
    var strength: Double?

    @OptionGroup var tokens: TokenOptions

    @Option(help: "Write the features of both splits to this .safetensors file.")
    var saveFeatures: String?

    @Option(help: "Read the features from such a file instead of computing them.")
    var features: String?

    /// Whether features are what is wanted.
    var isUsed: Bool { knn || linear }

    func validate() throws {
        guard !(knn && linear) else { throw ValidationError("give --knn or --linear, not both") }
        guard isUsed || (saveFeatures == nil && features == nil && !tokens.areGiven) else {
            throw ValidationError(
                "--tokens, --blocks, --features and --save-features need --knn or --linear"
            )
        }
        guard strength == nil || linear else {
            throw ValidationError("--inverse-l2 needs --linear")
        }
        guard !linear || (k == nil && temperature == nil) else {
            throw ValidationError("--k and --temperature need --knn")
        }
        try ValidationError.requirePositive(strength, "--inverse-l2")
        try ValidationError.requirePositive(temperature, "--temperature")
        guard features == nil || saveFeatures == nil else {
            throw ValidationError("give --features or --save-features, not both")
        }
        _ = try counts()
    }

    /// The numbers of neighbours; nil where none are given.
    func counts() throws -> [Int]? {
        try k.map { text in
            try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
                guard let count = Int(part), count > 0 else {
                    throw ValidationError("--k must be whole numbers above 0, not \"\(text)\"")
                }
                return count
            }
        }
    }
}

/// Which of a model's tokens make a feature vector.
struct TokenOptions: ParsableArguments {
    @Option(
        help:
            "Tokens, separated by commas: cls, dist, mean (default: cls; mean for a convolutional network)."
    )
    var tokens: String?

    @Option(help: "Number of last blocks to concatenate (default: 1).")
    var blocks: Int?

    var areGiven: Bool { tokens != nil || blocks != nil }

    func validate() throws { _ = try request() }

    func request() throws -> FeatureRequest {
        let blocks = blocks ?? 1
        guard blocks > 0 else {
            throw ValidationError("--blocks must be at least 1, not \(blocks)")
        }
        let names = (tokens ?? "").split(separator: ",", omittingEmptySubsequences: tokens == nil)
        let list = try names.map { name in
            guard let token = FeatureRequest.Token(rawValue: String(name)), token != .patch else {
                throw ValidationError(
                    "unknown token \"\(name)\"; --tokens takes cls, dist, mean"
                )
            }
            return token
        }
        return FeatureRequest(tokens: list, blocks: blocks)
    }
}

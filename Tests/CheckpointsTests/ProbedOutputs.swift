import TestSupport
import Testing
import Torch
import VisionModels

/// What another library computed from a checkpoint on two grids: hidden states, tokens and pooled output.
enum ProbedOutputs {
    /// Expects a network to compute the same.
    ///
    /// - Parameters:
    ///   - model: The network, a transformer.
    ///   - probe: `images`, `hidden_states`, `tokens` and `pooled`, and the same with `other.` before the name.
    ///   - tolerance: The largest difference, as a fraction of the largest magnitude.
    ///   - name: The checkpoint's, for messages.
    /// - Throws: What computing throws.
    @ModelActor
    static func expect(
        _ model: any ImageClassifier,
        _ probe: [String: Tensor],
        tolerance: Float,
        _ name: String
    ) throws {
        let network = try #require(model as? VisionTransformer)
        for prefix in ["", "other."] {
            let images = try #require(probe["\(prefix)images"])
            let outputs = try withoutGradient {
                try network.outputs(images, OutputRequest(hiddenStates: true), resampling: .hf)
            }
            let pooled = try withoutGradient { try network.forwardHead(outputs.tokens) }
            for (key, found) in [
                ("hidden_states", try Tensor.stack(outputs.hiddenStates)),
                ("tokens", outputs.tokens), ("pooled", pooled),
            ] {
                let expected = probe["\(prefix)\(key)"]
                try expectTensor(found, expected, "\(name) \(prefix)\(key)", tolerance: tolerance)
            }
        }
    }
}

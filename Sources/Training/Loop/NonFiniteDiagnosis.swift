import Torch
import TorchNN

/// Finds where numbers stopped being finite.
enum NonFiniteDiagnosis {
    /// Names the first culprit: the images, a weight, a layer's output or a gradient.
    ///
    /// - Parameters:
    ///   - module: The network.
    ///   - pixels: Its input.
    ///   - layer: Names the first layer whose output is not finite, if that can be determined.
    /// - Returns: What is wrong.
    static func sentence(
        _ module: Module,
        pixels: [Tensor],
        layer: () -> String?
    ) -> String {
        do {
            for pixels in pixels where try !isFinite(pixels) {
                return "the images contain NaN or infinity"
            }
            for (name, parameter) in module.namedParameters()
            where try !isFinite(parameter.tensor) {
                return "the weights of \(name) are not finite"
            }
            for (name, buffer) in module.namedBuffers() where try !isFinite(buffer.tensor) {
                return "the statistics \(name) are not finite"
            }
            if let layer = layer() {
                return "the output of \(layer) is not finite"
            }
            // Gradients flow from the last layer to the first, so the last one named is the first that went wrong.
            for (name, parameter) in module.namedParameters().reversed() {
                if let gradient = try parameter.tensor.gradient(), try !isFinite(gradient) {
                    return "the gradient of \(name) is not finite"
                }
            }
            // The root of a sum of squares is infinite from squares of 1e19 on.
            var largest: (name: String, value: Double) = ("", 0)
            for (name, parameter) in module.namedParameters() {
                guard let gradient = try parameter.tensor.gradient() else { continue }
                let value = try gradient.detached().abs().max().to(.float32).item()
                if value > largest.value { largest = (name, value) }
            }
            if largest.value > 1e15 {
                return "the gradient of \(largest.name) reaches \(largest.value)"
            }
            return "weights, outputs and gradients are finite, the loss is not"
        } catch {
            return "no diagnosis (\(error))"
        }
    }

    /// Whether all weights are finite.
    static func areFinite(_ module: Module) throws(TorchError) -> Bool {
        var weights: [Tensor] = []
        for (_, parameter) in module.namedParameters() {
            weights.append(try parameter.tensor.detached())
        }
        return try Fused.norm(weights).isFinite
    }

    private static func isFinite(_ tensor: Tensor) throws(TorchError) -> Bool {
        guard tensor.dtype.isFloatingPoint else { return true }
        return try tensor.detached().isFinite().to(.float32).min().item() == 1
    }
}

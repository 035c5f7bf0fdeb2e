import Torch

/// The search for the minimum of a smooth function by its gradients, with the memory of some steps.
///
/// ## Source
/// Nocedal, Wright, "Numerical Optimization" (2nd edition), algorithms 7.4 and 7.5; the step is halved until the function
/// falls as much as its slope promises (3.4), and a pair without positive curvature is not remembered.
enum LBFGS {
    /// Where the search ended.
    struct Result {
        let point: Tensor
        let iterations: Int
        let isConverged: Bool
    }

    private static let memory = 10
    /// The share of the promised fall that is enough.
    private static let armijo = 1e-4
    private static let halvings = 40

    /// Searches the minimum.
    ///
    /// - Parameters:
    ///   - start: Where to begin, of `float64`.
    ///   - iterationLimit: The most steps.
    ///   - tolerance: The largest element of the gradient at which the search ends.
    ///   - function: The function and its gradient at a point.
    /// - Returns: The lowest point found.
    /// - Throws: What the function throws.
    static func minimize(
        from start: Tensor,
        iterationLimit: Int,
        tolerance: Double,
        _ function: (Tensor) throws(TorchError) -> (value: Double, gradient: Tensor)
    ) throws(TorchError) -> Result {
        var point = start
        var (value, gradient) = try function(point)
        var history: [(step: Tensor, change: Tensor, curvature: Double)] = []
        for iteration in 0..<iterationLimit {
            if try gradient.abs().max().item() <= tolerance {
                return Result(point: point, iterations: iteration, isConverged: true)
            }
            var direction = try -descent(gradient, history)
            var slope = try dot(gradient, direction)
            if !(slope < 0) {
                // Rounding spoilt the memory: start again from the gradient.
                history = []
                direction = try -gradient
                slope = try dot(gradient, direction)
            }
            var size = history.isEmpty ? 1 / Swift.max(1, (-slope).squareRoot()) : 1
            var next: (point: Tensor, value: Double, gradient: Tensor)?
            for _ in 0..<halvings {
                let candidate = try point + direction * size
                let there = try function(candidate)
                if there.value <= value + armijo * size * slope {
                    next = (candidate, there.value, there.gradient)
                    break
                }
                size /= 2
            }
            guard let next else {
                // The function falls no further in its own precision.
                return Result(point: point, iterations: iteration, isConverged: false)
            }
            let step = try next.point - point
            let change = try next.gradient - gradient
            let curvature = try dot(step, change)
            if try curvature > 1e-12 * dot(change, change) {
                history.append((step, change, curvature))
                if history.count > memory { history.removeFirst() }
            }
            (point, value, gradient) = next
        }
        return Result(point: point, iterations: iterationLimit, isConverged: false)
    }

    /// The gradient, multiplied by the approximate inverse of the second derivatives: the two loops of algorithm 7.4.
    private static func descent(
        _ gradient: Tensor,
        _ history: [(step: Tensor, change: Tensor, curvature: Double)]
    ) throws(TorchError) -> Tensor {
        guard let last = history.last else { return gradient }
        var q = gradient
        var alphas: [Double] = []
        for pair in history.reversed() {
            let alpha = try dot(pair.step, q) / pair.curvature
            q = try q - pair.change * alpha
            alphas.append(alpha)
        }
        q = try q * (last.curvature / dot(last.change, last.change))
        for (pair, alpha) in zip(history, alphas.reversed()) {
            let beta = try dot(pair.change, q) / pair.curvature
            q = try q + pair.step * (alpha - beta)
        }
        return q
    }

    private static func dot(_ a: Tensor, _ b: Tensor) throws(TorchError) -> Double {
        try (a * b).sum().item()
    }
}

internal import CTorch

extension Tensor {
    /// Overwrites the elements with those of another tensor of the same shape; autograd does not see it.
    ///
    /// - Parameter other: The new elements; converted where the type or device differs.
    /// - Throws: ``TorchError`` when the shapes differ.
    public func copy(from other: Tensor) throws(TorchError) {
        try guarded("copy") { ct_copy_(handle, other.handle) }
    }

    /// Sets every element; autograd does not see it.
    public func fill(_ value: Double) throws(TorchError) {
        try guarded("fill") { ct_fill_(handle, value) }
    }

    /// Fills with normal numbers from the default generator; autograd does not see it.
    public func fillNormal(mean: Double, std: Double) throws(TorchError) {
        try guarded("normal") { ct_normal_(handle, mean, std) }
    }

    /// Fills with uniform numbers in `[low, high)` from the default generator; autograd does not see it.
    public func fillUniform(low: Double, high: Double) throws(TorchError) {
        try guarded("uniform") { ct_uniform_(handle, low, high) }
    }
}

/// Steps of optimisers over many tensors at once, in place.
public enum Fused {
    /// The numbers of an AdamW step.
    public struct AdamW: Sendable {
        /// The learning rate.
        public var lr: Double
        /// The decay of the first moment.
        public var beta1: Double
        /// The decay of the second moment.
        public var beta2: Double
        /// The decoupled weight decay, multiplied by the learning rate.
        public var weightDecay: Double
        /// What keeps the denominator from zero.
        public var eps: Double

        /// Creates the numbers of a step.
        public init(lr: Double, beta1: Double, beta2: Double, weightDecay: Double, eps: Double) {
            self.lr = lr
            self.beta1 = beta1
            self.beta2 = beta2
            self.weightDecay = weightDecay
            self.eps = eps
        }
    }

    /// One AdamW step (Loshchilov & Hutter, arXiv:1711.05101).
    ///
    /// - Parameters:
    ///   - numbers: The step's numbers.
    ///   - parameters: What is optimised.
    ///   - gradients: One for each parameter.
    ///   - firstMoments: Running means of the gradients.
    ///   - secondMoments: Running means of their squares.
    ///   - steps: One `float32` number each: how many steps were made; advanced by one here.
    /// - Throws: ``TorchError`` when the lists or shapes do not fit.
    public static func adamW(
        _ numbers: AdamW,
        parameters: [Tensor],
        gradients: [Tensor],
        firstMoments: [Tensor],
        secondMoments: [Tensor],
        steps: [Tensor]
    ) throws(TorchError) {
        try requireSameCount("AdamW", [parameters, gradients, firstMoments, secondMoments, steps])
        guard !parameters.isEmpty else { return }
        try guarded("AdamW") {
            withHandles(parameters) { parameters, count in
                withHandles(gradients) { gradients, _ in
                    withHandles(firstMoments) { first, _ in
                        withHandles(secondMoments) { second, _ in
                            withHandles(steps) { steps, _ in
                                guard let parameters, let gradients, let first, let second,
                                    let steps
                                else { return 1 }
                                return ct_adamw_(
                                    parameters,
                                    gradients,
                                    first,
                                    second,
                                    steps,
                                    count,
                                    numbers.lr,
                                    numbers.beta1,
                                    numbers.beta2,
                                    numbers.weightDecay,
                                    numbers.eps
                                )
                            }
                        }
                    }
                }
            }
        }
    }

    /// One step of stochastic gradient descent with momentum, as PyTorch defines it.
    ///
    /// - Parameters:
    ///   - parameters: What is optimised.
    ///   - gradients: One for each parameter.
    ///   - momenta: The momentum buffers; unused without momentum.
    ///   - lr: The learning rate.
    ///   - momentum: The share of the buffer that is kept, 0 to 1.
    ///   - weightDecay: Added to the gradient, times the parameter.
    ///   - nesterov: Whether to look ahead.
    ///   - isFirst: Whether the buffers start from these gradients.
    /// - Throws: ``TorchError`` when the lists or shapes do not fit.
    public static func sgd(
        parameters: [Tensor],
        gradients: [Tensor],
        momenta: [Tensor],
        lr: Double,
        momentum: Double,
        weightDecay: Double,
        nesterov: Bool,
        isFirst: Bool
    ) throws(TorchError) {
        try requireSameCount("SGD", [parameters, gradients, momenta])
        guard !parameters.isEmpty else { return }
        try guarded("SGD") {
            withHandles(parameters) { parameters, count in
                withHandles(gradients) { gradients, _ in
                    withHandles(momenta) { momenta, _ in
                        guard let parameters, let gradients, let momenta else { return 1 }
                        return ct_sgd_(
                            parameters,
                            gradients,
                            momenta,
                            count,
                            lr,
                            momentum,
                            weightDecay,
                            nesterov,
                            isFirst
                        )
                    }
                }
            }
        }
    }

    /// Moves every tensor towards its target: `a ← a + weight · (b - a)`.
    public static func lerp(_ a: [Tensor], towards b: [Tensor], weight: Double) throws(TorchError) {
        try requireSameCount("lerp", [a, b])
        guard !a.isEmpty else { return }
        try guarded("lerp") {
            withHandles(a) { a, count in
                withHandles(b) { b, _ in
                    guard let a, let b else { return 1 }
                    return ct_lerp_many_(a, b, count, weight)
                }
            }
        }
    }

    /// Multiplies every tensor by a number.
    public static func scale(_ a: [Tensor], by factor: Double) throws(TorchError) {
        guard !a.isEmpty else { return }
        try guarded("scale") {
            withHandles(a) { a, count in a.map { ct_mul_many_($0, count, factor) } ?? 1 }
        }
    }

    /// Multiplies gradients by a number on their device, and notes whether one is infinite or no number.
    ///
    /// - Parameters:
    ///   - gradients: The gradients.
    ///   - factor: One `float32` number.
    ///   - foundInfinite: One `float32` number that becomes 1 where one is; else it stays.
    /// - Throws: ``TorchError`` when they are on different devices.
    public static func unscale(
        _ gradients: [Tensor],
        by factor: Tensor,
        foundInfinite: Tensor
    ) throws(TorchError) {
        guard !gradients.isEmpty else { return }
        try guarded("unscale") {
            withHandles(gradients) { gradients, count in
                gradients.map {
                    ct_unscale_($0, count, foundInfinite.handle, factor.handle)
                } ?? 1
            }
        }
    }

    /// Lets the scale of losses follow: less after an overflow, more after enough steps without one.
    ///
    /// - Parameters:
    ///   - scale: One `float32` number, changed here.
    ///   - growthTracker: The steps without an overflow, one `int32` number, changed here.
    ///   - foundInfinite: One `float32` number, not 0 after an overflow.
    ///   - growth: What the scale is multiplied by after enough steps.
    ///   - backoff: What it is multiplied by after an overflow.
    ///   - interval: How many steps are enough.
    /// - Throws: ``TorchError`` when they are on different devices.
    public static func updateScale(
        _ scale: Tensor,
        growthTracker: Tensor,
        foundInfinite: Tensor,
        growth: Double,
        backoff: Double,
        interval: Int
    ) throws(TorchError) {
        try guarded("update scale") {
            ct_update_scale_(
                scale.handle,
                growthTracker.handle,
                foundInfinite.handle,
                growth,
                backoff,
                Int64(interval)
            )
        }
    }

    /// The L2 norm of all elements of all tensors together.
    public static func norm(_ a: [Tensor]) throws(TorchError) -> Double {
        guard !a.isEmpty else { return 0 }
        var norm = 0.0
        try guarded("norm") {
            withHandles(a) { a, count in a.map { ct_norm_many($0, count, &norm) } ?? 1 }
        }
        return norm
    }

    private static func requireSameCount(
        _ operation: String,
        _ lists: [[Tensor]]
    ) throws(TorchError) {
        guard Set(lists.map(\.count)).count == 1 else {
            throw TorchError(
                operation: operation,
                message: "the lists differ in length: \(lists.map(\.count))"
            )
        }
    }
}

import Foundation
public import Torch

/// Parameters that are optimised with the same settings.
public struct ParameterGroup {
    /// What the group is, for the log.
    public let name: String

    /// The parameters and their keys.
    public let parameters: [Module.NamedParameter]

    /// The weight decay of the group.
    public var weightDecay: Double

    /// What the learning rate is multiplied by for this group.
    public var lrScale: Double

    /// Creates a group.
    public init(
        name: String,
        parameters: [Module.NamedParameter],
        weightDecay: Double,
        lrScale: Double = 1
    ) {
        self.name = name
        self.parameters = parameters
        self.weightDecay = weightDecay
        self.lrScale = lrScale
    }

    /// Splits a model's trainable parameters into those that decay and those that do not.
    ///
    /// Not decayed are vectors (biases and the scales of normalisation) and the embeddings named in
    /// `undecayedNames`. DeiT's own code forgets `dist_token` there, so that it decays; here it does not.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - weightDecay: The decay of the first group.
    /// - Returns: One or two groups; frozen parameters are in none.
    ///
    /// ## Source
    /// `timm/optim/_param_groups.py`, `param_groups_weight_decay`; deit `models.py`, `no_weight_decay`.
    public static func decaying(_ model: Module, weightDecay: Double) -> [ParameterGroup] {
        let trainable = model.namedParameters().filter { $0.parameter.requiresGradient }
        return split(trainable, weightDecay: weightDecay)
    }

    /// The same with smaller learning rates towards the images: the last layer has the full rate, and each layer
    /// before it `layerDecay` times that of the next.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - weightDecay: The decay of the groups that decay.
    ///   - layerDecay: The factor from a layer to the one before it, above 0 and at most 1.
    ///   - layerCount: The number of layers.
    ///   - layer: The layer of a parameter by its key, from 0; nil for one that has the full rate.
    /// - Returns: One or two groups for each layer, in their order; frozen parameters are in none.
    ///
    /// ## Source
    /// `timm/optim/_param_groups.py`, `param_groups_layer_decay`, after BEiT's `optim_factory.py`.
    public static func layerDecaying(
        _ model: Module,
        weightDecay: Double,
        layerDecay: Double,
        layerCount: Int,
        layer: (String) -> Int?
    ) -> [ParameterGroup] {
        let last = max(layerCount - 1, 0)
        var members: [Int: [Module.NamedParameter]] = [:]
        for named in model.namedParameters() where named.parameter.requiresGradient {
            members[min(layer(named.name) ?? last, last), default: []].append(named)
        }
        return members.keys.sorted().flatMap { index in
            split(members[index] ?? [], weightDecay: weightDecay).map { group in
                ParameterGroup(
                    name: "layer \(index), \(group.name)",
                    parameters: group.parameters,
                    weightDecay: group.weightDecay,
                    lrScale: pow(layerDecay, Double(last - index))
                )
            }
        }
    }

    private static func split(
        _ parameters: [Module.NamedParameter],
        weightDecay: Double
    ) -> [ParameterGroup] {
        func decays(_ named: Module.NamedParameter) -> Bool {
            named.parameter.tensor.rank > 1 && !undecayedNames.contains(named.name)
        }
        return [
            ParameterGroup(
                name: "decay",
                parameters: parameters.filter(decays),
                weightDecay: weightDecay
            ),
            ParameterGroup(
                name: "no decay",
                parameters: parameters.filter { !decays($0) },
                weightDecay: 0
            ),
        ].filter { !$0.parameters.isEmpty }
    }

    /// Splits a model's trainable parameters as DINO does: only vectors and biases do not decay, tokens and position
    /// embeddings do.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - weightDecay: The decay of the first group.
    /// - Returns: Two groups, the decayed one first; frozen parameters are in none.
    ///
    /// ## Source
    /// dino `utils.py`, `get_params_groups`.
    public static func decayingAsDINO(_ model: Module, weightDecay: Double) -> [ParameterGroup] {
        let trainable = model.namedParameters().filter { $0.parameter.requiresGradient }
        func decays(_ named: Module.NamedParameter) -> Bool {
            named.parameter.tensor.rank != 1 && !named.name.hasSuffix(".bias")
        }
        return [
            ParameterGroup(
                name: "decay",
                parameters: trainable.filter(decays),
                weightDecay: weightDecay
            ),
            ParameterGroup(
                name: "no decay",
                parameters: trainable.filter { !decays($0) },
                weightDecay: 0
            ),
        ]
    }

    /// The keys of parameters with more than one dimension that are never decayed.
    public static let undecayedNames: Set<String> = [
        "pos_embed", "cls_token", "dist_token", "reg_token",
    ]
}

/// An optimiser over groups of parameters.
public protocol Optimizer: AnyObject {
    /// The groups that it optimises.
    var groups: [ParameterGroup] { get }

    /// Moves every parameter that has a gradient.
    ///
    /// - Parameter lr: The learning rate of this step, before the groups' scales.
    /// - Throws: `TorchError` when a gradient does not fit.
    func step(lr: Double) throws(TorchError)

    /// Changes the weight decay of a group, from the next step on; a place without a group changes nothing.
    ///
    /// - Parameters:
    ///   - weightDecay: The new value.
    ///   - index: The group's place in ``groups``.
    func setWeightDecay(_ weightDecay: Double, ofGroup index: Int)

    /// The optimiser's memory with names that stay the same from run to run; loaders write into these tensors.
    func namedState() -> [(name: String, tensor: Tensor)]
}

extension Optimizer {
    /// Drops the gradients of all parameters.
    public func clearGradients() throws(TorchError) {
        for group in groups {
            for (_, parameter) in group.parameters { try parameter.tensor.clearGradient() }
        }
    }

    /// The gradients that are there.
    public func gradients() throws(TorchError) -> [Tensor] {
        var found: [Tensor] = []
        for group in groups {
            for (_, parameter) in group.parameters {
                if let gradient = try parameter.tensor.gradient() { found.append(gradient) }
            }
        }
        return found
    }

    /// The L2 norm of all gradients together, left on the device: one number, or nil where there is no gradient.
    public func gradientNorm() throws(TorchError) -> Tensor? {
        try withoutGradient { () throws(TorchError) -> Tensor? in
            var norms: [Tensor] = []
            for gradient in try gradients() { norms.append(try gradient.norm()) }
            return norms.isEmpty ? nil : try Tensor.stack(norms).norm()
        }
    }

    /// Scales all gradients down so that their common norm is at most `maxNorm`.
    ///
    /// - Parameter maxNorm: The largest norm that is left as it is.
    /// - Returns: The norm before.
    /// - Throws: `TorchError` when the gradients cannot be read.
    @discardableResult
    public func clipGradients(maxNorm: Double) throws(TorchError) -> Double {
        let norm = try gradientNorm()?.item() ?? 0
        try clipGradients(norm: norm, maxNorm: maxNorm)
        return norm
    }

    /// Scales the gradient of each parameter down so that its own norm is at most `maxNorm`.
    ///
    /// - Parameter maxNorm: The largest norm that is left as it is.
    /// - Returns: The norm of all gradients together before, where there are any.
    /// - Throws: `TorchError` when the gradients cannot be read.
    ///
    /// ## Source
    /// dino `utils.py`, `clip_gradients`.
    @discardableResult
    public func clipEachGradient(maxNorm: Double) throws(TorchError) -> Double? {
        let gradients = try gradients()
        guard !gradients.isEmpty else { return nil }
        let norms = try withoutGradient { () throws(TorchError) -> [Float] in
            var norms: [Tensor] = []
            for gradient in gradients { norms.append(try gradient.norm()) }
            return try Tensor.stack(norms).floats()
        }
        for (gradient, norm) in zip(gradients, norms) {
            let factor = maxNorm / (Double(norm) + 1e-6)
            if factor < 1 { try Fused.scale([gradient], by: factor) }
        }
        return norms.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    /// Scales the gradients as ``clipEachGradient(maxNorm:)`` does; away from the CPU nothing waits for the norms.
    ///
    /// - Parameter maxNorm: The largest norm that is left as it is.
    /// - Throws: `TorchError` when the gradients cannot be read.
    public func limitEachGradient(maxNorm: Double) throws(TorchError) {
        let gradients = try gradients()
        guard let device = gradients.first?.device, device != .cpu else {
            try clipEachGradient(maxNorm: maxNorm)
            return
        }
        try withoutGradient { () throws(TorchError) in
            for gradient in gradients {
                let factor = try ((gradient.norm() + 1e-6).pow(-1) * maxNorm).clamped(0...1)
                try gradient.copy(from: gradient * factor)
            }
        }
    }

    /// Scales all gradients down as ``clipGradients(maxNorm:)`` does, where their norm was read already.
    ///
    /// - Parameters:
    ///   - norm: What ``gradientNorm()`` gave.
    ///   - maxNorm: The largest norm that is left as it is.
    /// - Throws: `TorchError` when the gradients cannot be read.
    public func clipGradients(norm: Double, maxNorm: Double) throws(TorchError) {
        // As torch.nn.utils.clip_grad_norm_ has it.
        let factor = maxNorm / (norm + 1e-6)
        if factor < 1 { try Fused.scale(try gradients(), by: factor) }
    }
}

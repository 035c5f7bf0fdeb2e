import Storage
import Torch
import TorchNN
import VisionModels

/// Leaves the weights as they are that the options say.
enum FrozenWeights {
    /// Takes the gradients of weights that are not to be trained.
    ///
    /// - Parameters:
    ///   - options: The options.
    ///   - module: The network.
    ///   - fresh: The keys of weights that hold random numbers, since the checkpoint has none for them.
    /// - Returns: What stays as it is, in a sentence; nil where all is trained.
    /// - Throws: ``OptionError`` where the network has not what is to be frozen, where random numbers would stay, and
    ///   where nothing would be left to train.
    static func apply(
        _ options: TrainingOptions,
        to module: Module,
        fresh: Set<String> = []
    ) throws -> String? {
        let weights = module.namedParameters()
        let names = weights.map(\.name)
        try check(options, names)
        let frozen = weights.filter { !isTrained($0.name, options, fresh: fresh) }
        guard !frozen.isEmpty else { return nil }
        let stuck = frozen.map(\.name).filter(fresh.contains)
        guard stuck.isEmpty else {
            throw OptionError.conflict(
                "freeze would leave \(stuck.joined(separator: " and ")) at their random initial values, since "
                    + "the checkpoint lacks them: exclude them from --freeze"
            )
        }
        guard frozen.count < weights.count else {
            throw OptionError.conflict(
                "nothing would be trained: freeze \(options.freeze.rawValue) matches all \(names.count) weights of the "
                    + "network; --freeze all keeps the head trainable"
            )
        }
        for (_, parameter) in frozen { try parameter.tensor.setRequiresGradient(false) }
        return sentence(options, weights, frozen)
    }

    /// Whether a weight is trained, by its key.
    ///
    /// A fresh weight is trained whatever part of the network it is in: as it is it means nothing. Only a pattern that
    /// names it says otherwise, which ``apply(_:to:fresh:)`` refuses.
    static func isTrained(
        _ name: String,
        _ options: TrainingOptions,
        fresh: Set<String> = []
    ) -> Bool {
        if case .names(let patterns) = options.freeze {
            return !patterns.contains { WeightPattern($0).matches(name) }
        }
        if LayerOrder.isHead(name) || fresh.contains(name) { return true }
        if options.attnOnly { return name.contains(".attn.") || name == "pos_embed" }
        switch options.freeze {
        case .none, .names: return true
        case .backbone: return false
        case .blocks(let count):
            if let block = LayerOrder.block(of: name) { return block >= count }
            return !LayerOrder.isStem(name)
        }
    }

    /// Whether the head is all that is trained, so that no gradient is wanted of what comes before it.
    static func isBackboneFrozen(_ module: Module) -> Bool {
        module.namedParameters().allSatisfy {
            LayerOrder.isHead($0.name) || !$0.parameter.requiresGradient
        }
    }

    // MARK: - Patterns without a match

    private static func check(_ options: TrainingOptions, _ names: [String]) throws {
        switch options.freeze {
        case .none, .backbone: break
        case .blocks(let count):
            let blocks = (names.compactMap(LayerOrder.block).max() ?? -1) + 1
            guard count <= blocks else {
                throw OptionError.conflict(
                    "freeze is \(count), but the network has \(blocks) blocks: choose a smaller --freeze, or all"
                )
            }
        case .names(let patterns):
            for pattern in patterns where !names.contains(where: WeightPattern(pattern).matches) {
                throw OptionError.conflict(
                    "freeze: \"\(pattern)\" matches no weight of the network"
                        + Suggestion.phrase(for: pattern, among: ["off", "all"] + parts(of: names))
                        + " (--list-groups without --freeze lists them)"
                )
            }
        }
        if options.attnOnly, !names.contains(where: { $0.contains(".attn.") }) {
            throw OptionError.conflict(
                "attn_only: the network has no attention; leave it out, or --freeze a number of stages"
            )
        }
    }

    /// The names of weights and of all parts that they lie in, with numbers and with `*` for them.
    private static func parts(of names: [String]) -> [String] {
        var found: Set<String> = []
        for name in names {
            var part = ""
            var general = ""
            for word in name.split(separator: ".") {
                let dot = part.isEmpty ? "" : "."
                part += dot + word
                general += dot + (Int(word) == nil ? word : "*")
                found.formUnion([part, general])
            }
        }
        return found.sorted { ($0.count, $0) < ($1.count, $1) }
    }

    // MARK: - Messages

    private static func sentence(
        _ options: TrainingOptions,
        _ weights: [Module.NamedParameter],
        _ frozen: [Module.NamedParameter]
    ) -> String {
        func count(_ list: [Module.NamedParameter]) -> Int {
            list.reduce(0) { $0 + $1.parameter.tensor.elementCount }
        }
        let all = count(weights)
        var sentence =
            "trains \(weights.count - frozen.count) of \(weights.count) weights, \(all - count(frozen)) of "
            + "\(all) parameters; the rest is frozen"
        if case .names(let patterns) = options.freeze {
            let matches = patterns.map { text in
                let pattern = WeightPattern(text)
                return "\(text) means \(weights.count { pattern.matches($0.name) })"
            }
            sentence += " (\(matches.joined(separator: ", ")))"
        }
        return sentence
    }
}

extension Module {
    /// Sets the mode of a training step: layers whose weights all stay as they are behave as in evaluation.
    ///
    /// In them nothing is dropped at random and running statistics stay, so that what is frozen is the same function in
    /// every step. Where only the head is trained, all before it is in evaluation mode.
    ///
    /// - Parameter isTraining: Whether what is trained is to behave as in training.
    func trainUnfrozen(_ isTraining: Bool) {
        train(isTraining)
        guard isTraining else { return }
        if FrozenWeights.isBackboneFrozen(self) { return eval() }
        let isFrozen = namedParameters().first { $0.name == "pos_embed" }
            .map { !$0.parameter.requiresGradient }
        for (name, child) in namedChildren() {
            // It has no weights; it drops what the embedding gives.
            if name == "pos_drop", isFrozen == true { child.eval() }
        }
        evaluateFrozen()
    }

    private func evaluateFrozen() {
        for (_, child) in namedChildren() {
            let weights = child.namedParameters()
            if weights.isEmpty { continue }
            if weights.allSatisfy({ !$0.parameter.requiresGradient }) {
                child.eval()
            } else {
                child.evaluateFrozen()
            }
        }
    }
}

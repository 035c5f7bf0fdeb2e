import Foundation
public import Torch
import TorchNN

/// Which weights a run trains, and which of them decay: what `deit train --list-groups` prints.
public struct GroupListing: Sendable, Equatable {
    /// One group of the optimiser, or the weights that stay as they are.
    public struct Group: Sendable, Equatable {
        /// What the group is.
        public let name: String
        /// The weight decay; nil for weights that stay as they are.
        public let weightDecay: Double?
        /// What the learning rate is multiplied by; 0 for weights that stay as they are.
        public let lrScale: Double
        /// The weights.
        public let weights: [Weight]
        /// The numbers in all of them.
        public var count: Int { weights.reduce(0) { $0 + $1.shape.reduce(1, *) } }
    }

    /// One weight.
    public struct Weight: Sendable, Equatable {
        /// The key in checkpoints.
        public let name: String
        /// The sizes of its dimensions.
        public let shape: [Int]
    }

    /// The groups, those that are trained first.
    public let groups: [Group]

    /// Makes the network of a run, opens its data for the classes, and creates nothing.
    ///
    /// - Parameter options: The run's options.
    /// - Throws: What a run with these options would throw before its first step.
    @ModelActor
    public init(_ options: TrainingOptions) throws {
        if options.method == .dino {
            try DINOPreflight.check(options)
            try manualSeed(UInt64(options.seed))
            let student = try DINONetworks(options, DINONetworks.description(options)).student
            self.init(
                student,
                groups: ParameterGroup.decayingAsDINO(student, weightDecay: options.weightDecay)
            )
            return
        }
        if options.method == .mim {
            try MIMPreflight.check(options)
            let model = try MIMSession.model(MIMSession.description(options).1)
            self.init(
                model,
                groups: MIMSession.groups(model, weightDecay: options.weightDecay)
            )
            return
        }
        try Preflight.check(options)
        let data = try RunData(options)
        let request = RunRequest(
            options: options,
            output: "",
            resuming: nil,
            recipe: "",
            toolVersion: ""
        )
        let network = try Network(
            request,
            classNames: data.classNames,
            isMultiLabel: data.isMultiLabel
        )
        _ = try network.checkToken()
        try manualSeed(UInt64(options.seed))
        let (student, fresh) = try network.make(dtype: nil, notice: { _ in })
        self.init(
            student.module,
            groups: options.parameterGroups(student.module, fresh: fresh)
        )
    }

    /// Lists a network's weights.
    init(_ module: Module, groups: [ParameterGroup]) {
        var listed = groups.map { group in
            Group(
                name: group.name,
                weightDecay: group.weightDecay,
                lrScale: group.lrScale,
                weights: group.parameters.map {
                    Weight(name: $0.name, shape: $0.parameter.tensor.shape)
                }
            )
        }
        let frozen = module.namedParameters().filter { !$0.parameter.requiresGradient }
        if !frozen.isEmpty {
            listed.append(
                Group(
                    name: "frozen",
                    weightDecay: nil,
                    lrScale: 0,
                    weights: frozen.map { Weight(name: $0.name, shape: $0.parameter.tensor.shape) }
                )
            )
        }
        self.groups = listed
    }
}

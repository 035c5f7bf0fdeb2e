public import Torch

/// A part of a network: a class whose stored properties are its parameters, buffers and child modules.
///
/// A property's name, written in snake case, is its key in a checkpoint: `patchEmbed.proj.weight` is
/// `patch_embed.proj.weight`, and an element of an array has its index as its name (`blocks.0.norm1.weight`). The
/// properties are found by reflection, once; see the article "Parameter names".
///
/// Modules hold tensors and are not `Sendable`: they stay on `ModelActor`.
open class Module {
    /// A parameter and its key.
    public typealias NamedParameter = (name: String, parameter: Parameter)

    /// A buffer and its key.
    public typealias NamedBuffer = (name: String, buffer: Buffer)

    /// Whether layers that behave differently in training (dropout, batch normalisation) are to do so.
    public private(set) var isTraining = true

    private var cachedContents: Contents?

    /// Creates a module in training mode.
    public init() {}

    /// The properties that hold a module whose keys stay as they are: the property's own name is left out of them.
    ///
    /// A module around a network overrides it, so that the network's weights have the same keys with it and without it.
    /// There are none unless a subclass says so.
    open var unnamedProperties: Set<String> { [] }

    /// All parameters with their keys, in the order of declaration; a superclass's properties come first.
    public func namedParameters() -> [NamedParameter] { contents.parameters }

    /// All buffers with their keys, in the order of declaration.
    public func namedBuffers() -> [NamedBuffer] { contents.buffers }

    /// All parameters and buffers with their keys: what a checkpoint holds.
    public func namedTensors() -> [(name: String, tensor: Tensor)] {
        contents.parameters.map { ($0.name, $0.parameter.tensor) }
            + contents.buffers.map { ($0.name, $0.buffer.tensor) }
    }

    /// The number of elements of all parameters.
    public var parameterCount: Int {
        contents.parameters.reduce(0) { $0 + $1.parameter.tensor.elementCount }
    }

    /// Sets the mode of this module and all below it.
    ///
    /// - Parameter isTraining: Whether they are to behave as in training.
    public func train(_ isTraining: Bool = true) {
        self.isTraining = isTraining
        for child in contents.children { child.module.train(isTraining) }
    }

    /// Sets this module and all below it to evaluation.
    public func eval() { train(false) }

    /// Moves all parameters and buffers to a device; gradients are dropped.
    ///
    /// The tensors are replaced by copies there, so what has collected them before (an optimiser, an average of the
    /// weights) is to be made afterwards, as in PyTorch. On the device itself nothing happens.
    ///
    /// - Parameter device: The device.
    /// - Throws: `TorchError` for a lack of memory, a device that is not there, or weights that were packed for inference.
    public func to(_ device: Device) throws(TorchError) {
        for (_, parameter) in contents.parameters { try parameter.move(to: device) }
        for (_, buffer) in contents.buffers { try buffer.move(to: device) }
    }

    /// Stores the filters of convolutions with their channels innermost, which is how GPUs read them fastest.
    ///
    /// Names, shapes and numbers stay; the tensors are replaced by copies, as in ``to(_:)``.
    ///
    /// - Throws: `TorchError` for a lack of memory.
    package func useChannelsLast() throws(TorchError) {
        for (_, parameter) in contents.parameters where parameter.tensor.rank == 4 {
            try parameter.useChannelsLast()
        }
    }

    /// Where the first parameter is; the CPU where there is none.
    public var device: Device { contents.parameters.first?.parameter.tensor.device ?? .cpu }

    /// Switches the recording of gradients on or off for all parameters.
    public func setRequiresGradient(_ value: Bool) throws(TorchError) {
        for (_, parameter) in contents.parameters {
            try parameter.tensor.setRequiresGradient(value)
        }
    }

    /// The modules directly inside this one, with their keys; the key of an unnamed one is empty.
    public func namedChildren() -> [(name: String, module: Module)] { contents.children }

    /// All modules inside this one with their keys, parents before children.
    public func namedModules() -> [(name: String, module: Module)] {
        contents.children.flatMap { child in
            let prefix = child.name.isEmpty ? "" : child.name + "."
            return [child] + child.module.namedModules().map { (prefix + $0.name, $0.module) }
        }
    }

    private var contents: Contents {
        if let cachedContents { return cachedContents }
        let found = Contents(of: self)
        cachedContents = found
        return found
    }
}

/// What reflection finds in a module.
private struct Contents {
    var parameters: [Module.NamedParameter] = []
    var buffers: [Module.NamedBuffer] = []
    var children: [(name: String, module: Module)] = []

    init(of module: Module) {
        var mirrors: [Mirror] = []
        var next: Mirror? = Mirror(reflecting: module)
        while let mirror = next, mirror.subjectType != Module.self {
            mirrors.append(mirror)
            next = mirror.superclassMirror
        }
        let unnamed = module.unnamedProperties
        for mirror in mirrors.reversed() {
            for (label, value) in mirror.children {
                if let label { add(value, name: unnamed.contains(label) ? "" : label.snakeCased) }
            }
        }
    }

    private mutating func add(_ value: Any, name: String) {
        switch value {
        case let parameter as Parameter:
            parameters.append((name, parameter))
        case let buffer as Buffer:
            buffers.append((name, buffer))
        case let child as Module:
            let prefix = name.isEmpty ? "" : name + "."
            children.append((name, child))
            parameters += child.namedParameters().map { (prefix + $0.name, $0.parameter) }
            buffers += child.namedBuffers().map { (prefix + $0.name, $0.buffer) }
        case let list as [Module]:
            for (index, child) in list.enumerated() { add(child, name: "\(name).\(index)") }
        default:
            break  // Numbers, configurations, nil: no part of a checkpoint.
        }
    }
}

extension String {
    /// `patchEmbed` as `patch_embed`.
    var snakeCased: String {
        reduce(into: "") { result, character in
            if character.isUppercase {
                result += "_" + character.lowercased()
            } else {
                result.append(character)
            }
        }
    }
}

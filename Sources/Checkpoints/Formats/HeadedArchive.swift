import Storage
import Torch
import VisionModels

/// A network's tensors with those of a linear classifier from a file of its own.
///
/// facebookresearch/dinov2 publishes its classifiers so: `weight`, `[classes, (1 + blocks) · embedDim]`, and `bias`,
/// `[classes]`, of the class tokens of the last 1 or 4 blocks and the mean of the last one's patches.
///
/// ## Source
/// facebookresearch/dinov2, `dinov2/hub/classifiers.py`.
struct HeadedArchive: TensorArchive {
    /// The network's own file.
    let network: any TensorArchive

    private let head: any TensorArchive

    /// The classifier's own names, by those that it has here.
    private let headNames: [String: String]

    let tensors: [ArchivedTensor]

    var path: String { network.path }
    var metadata: [String: String] { [:] }

    /// Joins a classifier to a network.
    ///
    /// - Parameters:
    ///   - network: The network's file.
    ///   - path: The classifier's file.
    ///   - weights: The network's tensors as they are known.
    /// - Throws: ``CheckpointError`` where the file is no linear classifier, or not of this network.
    init(
        _ network: any TensorArchive,
        head path: String,
        of weights: WeightsFile
    ) throws(CheckpointError) {
        let head = try WeightsArchive.open(path)
        guard let (weight, bias) = Self.linear(head.tensors) else {
            throw .unsupported(
                file: path,
                reason:
                    "it is no linear classifier, whose tensors are \"weight\" and \"bias\" alone"
            )
        }
        let width = weights.shape("cls_token")?.last ?? 0
        guard width > 0, weight.shape[1] > width, weight.shape[1] % width == 0 else {
            throw .unsupported(
                file: path,
                reason:
                    "it reads \(weight.shape[1]) values, not the class tokens of some blocks and the mean of the "
                    + "patches of \(weights.path), whose width is \(width)"
            )
        }
        guard weights.heads.isEmpty else {
            throw .unsupported(
                file: weights.path,
                reason: "it has a classifier, \(weights.heads[0]); leave out the one of \(path)"
            )
        }
        let name =
            weights.scheme == .huggingFace ? "classifier" : weights.prefix + "head"
        self.network = network
        self.head = head
        headNames = ["\(name).weight": weight.name, "\(name).bias": bias.name]
        let renamed = [(weight, "weight"), (bias, "bias")].map { tensor, part in
            tensor.named("\(name).\(part)")
        }
        tensors = network.tensors + renamed
    }

    /// The two tensors of a linear layer that is all that a file has; nil for other files.
    static func linear(
        _ tensors: [ArchivedTensor]
    ) -> (weight: ArchivedTensor, bias: ArchivedTensor)? {
        guard tensors.count == 2,
            let weight = tensors.first(where: {
                TimmNames.unwrapped($0.name).rest.hasSuffix("weight")
            }),
            let bias = tensors.first(where: { TimmNames.unwrapped($0.name).rest.hasSuffix("bias") }
            ),
            weight.shape.count == 2, bias.shape == [weight.shape[0]]
        else { return nil }
        return (weight, bias)
    }

    func read(_ tensor: ArchivedTensor) throws(CheckpointError) -> Tensor {
        guard let name = headNames[tensor.name] else { return try network.read(tensor) }
        return try head.read(tensor.named(name))
    }

    func copy(_ tensor: ArchivedTensor, into target: Tensor) throws(CheckpointError) {
        guard let name = headNames[tensor.name] else {
            return try network.copy(tensor, into: target)
        }
        try head.copy(tensor.named(name), into: target)
    }
}

extension ArchivedTensor {
    fileprivate func named(_ name: String) -> ArchivedTensor {
        ArchivedTensor(name: name, dtype: dtype, shape: shape)
    }
}

public import Torch

/// How a model is written.
public struct SaveOptions: Sendable, Equatable {
    /// Whose form it gets.
    public enum Form: Sendable, Equatable {
        /// A folder: Hugging Face's form for transformers that it knows, timm's for all others.
        case automatic

        /// A folder that transformers' `from_pretrained` loads; nil takes the architecture that fits the network.
        case huggingFace(HuggingFaceArchitecture?)

        /// A folder that `timm.create_model("local-dir:DIR")` loads.
        case timm

        /// A `.pth` file as facebookresearch/deit publishes: timm's names under the key `model`.
        case deit

        /// A `.pth` file as facebookresearch/dinov2 publishes its backbones: DINOv2's names, and no classifier.
        case dinov2

        /// A `.pth` file as facebookresearch/dinov3 publishes its backbones: DINOv3's names, and no classifier.
        case dinov3

        /// A file of tensors with timm's names; in safetensors, the configuration is among its metadata.
        case bare

        /// Whether it is a file of a backbone, for which there is no classifier.
        var isBackbone: Bool { self == .dinov2 || self == .dinov3 }
    }

    /// The container of the weights.
    public enum Container: String, Sendable, CaseIterable {
        /// `model.safetensors`.
        case safetensors

        /// `pytorch_model.bin`, or a `.pth`, which `torch.load(weights_only=True)` reads.
        case pytorch
    }

    /// Whose form it gets.
    public var form: Form

    /// The container of the weights; ``Form/deit``, ``Form/dinov2`` and ``Form/dinov3`` have PyTorch's always.
    public var container: Container

    /// The type of floating-point tensors in the file; nil leaves every one as it is.
    public var dtype: DType?

    /// The bytes of tensors after which another file is begun, for folders of Hugging Face's form; nil writes one file.
    public var maxShardSize: Int?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - form: Whose form it gets.
    ///   - container: The container of the weights.
    ///   - dtype: The type of floating-point tensors in the file.
    ///   - maxShardSize: The bytes of tensors after which another file is begun.
    public init(
        form: Form = .automatic,
        container: Container = .safetensors,
        dtype: DType? = nil,
        maxShardSize: Int? = nil
    ) {
        self.form = form
        self.container = container
        self.dtype = dtype
        self.maxShardSize = maxShardSize
    }

    /// Whether a folder is written, rather than a file.
    public var writesFolder: Bool {
        switch form {
        case .automatic, .huggingFace, .timm: true
        case .deit, .dinov2, .dinov3, .bare: false
        }
    }
}

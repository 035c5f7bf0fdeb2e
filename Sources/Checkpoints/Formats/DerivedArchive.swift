import Storage
import Torch
import VisionModels

/// An archive some of whose tensors are other views of the stored ones: of another shape, some of the rows, or with
/// numbers that a mask takes out.
struct DerivedArchive: TensorArchive {
    /// A tensor in the place of a stored one.
    struct View: Sendable {
        let tensor: ArchivedTensor
        fileprivate let source: ArchivedTensor
        fileprivate var rows: Range<Int>?
        fileprivate var mask: ArchivedTensor?

        /// The same numbers in another shape.
        init(_ name: String, of source: ArchivedTensor, shape: [Int]) {
            tensor = ArchivedTensor(name: name, dtype: source.dtype, shape: shape)
            self.source = source
        }

        /// Some of the rows.
        init(_ name: String, of source: ArchivedTensor, rows: Range<Int>) {
            self.init(name, of: source, shape: [rows.count] + source.shape.dropFirst())
            self.rows = rows
        }

        /// The numbers whose place in a mask of the same shape is not 0; 0 for the others.
        init(_ source: ArchivedTensor, mask: ArchivedTensor) {
            self.init(source.name, of: source, shape: source.shape)
            self.mask = mask
        }
    }

    /// The archive as it is stored.
    let stored: any TensorArchive

    let tensors: [ArchivedTensor]

    private let views: [String: View]

    var path: String { stored.path }
    var metadata: [String: String] { stored.metadata }

    /// Puts views in the place of the tensors that they are of; a mask is no tensor of the archive any more.
    init(_ stored: any TensorArchive, _ views: [View]) {
        self.stored = stored
        self.views = Dictionary(
            views.map { ($0.tensor.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let replaced = Set(views.flatMap { [$0.source.name, $0.mask?.name].compactMap { $0 } })
        tensors = stored.tensors.filter { !replaced.contains($0.name) } + views.map(\.tensor)
    }

    /// The tensors as the networks here have them: those of CLIP's and SigLIP's towers in our shapes, the biases of a
    /// DINOv3 without their keys' part.
    static func wrap(_ archive: any TensorArchive) -> any TensorArchive {
        let views = (TowerTensors.views(archive.tensors) ?? []) + maskedBiases(archive.tensors)
        return views.isEmpty ? archive : DerivedArchive(archive, views)
    }

    /// Whether a tensor is one whose keys' part a mask takes out.
    func isMasked(_ name: String) -> Bool { views[name]?.mask != nil }

    private static func maskedBiases(_ tensors: [ArchivedTensor]) -> [View] {
        let suffix = ".attn.qkv.bias" + DINOv3Names.maskSuffix
        let masks = tensors.filter { $0.name.hasSuffix(suffix) }
        guard !masks.isEmpty else { return [] }
        let byName = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
        return masks.compactMap { mask in
            let name = String(mask.name.dropLast(DINOv3Names.maskSuffix.count))
            guard let bias = byName[name], bias.shape == mask.shape else { return nil }
            return View(bias, mask: mask)
        }
    }

    func read(_ tensor: ArchivedTensor) throws(CheckpointError) -> Tensor {
        guard let view = views[tensor.name] else { return try stored.read(tensor) }
        let whole = try stored.read(view.source)
        let mask = try view.mask.map { (mask) throws(CheckpointError) in try stored.read(mask) }
        do throws(TorchError) {
            return try withoutGradient { () throws(TorchError) in
                if let rows = view.rows { return try whole.narrowed(0, rows).contiguous() }
                guard let mask else { return try whole.reshaped(view.tensor.shape) }
                // A product would keep NaN, which DINOv3 has there before training.
                let kept = zip(
                    try whole.to(.float32).floats(),
                    try mask.to(.float32).floats()
                ).map { $1 == 0 ? 0 : $0 }
                return try Tensor(kept, shape: whole.shape).to(whole.dtype)
            }
        } catch {
            throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
        }
    }

    func copy(_ tensor: ArchivedTensor, into target: Tensor) throws(CheckpointError) {
        guard views[tensor.name] != nil else { return try stored.copy(tensor, into: target) }
        let value = try read(tensor)
        do throws(TorchError) {
            try target.copy(from: value)
        } catch {
            throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
        }
    }
}

import Torch
import TorchNN

/// How a forward pass in evaluation is shared among the threads.
///
/// Sharing every operation for itself costs a wait at the end of each, about a hundred in a pass.
extension VisionTransformer {
    /// What a thread takes.
    enum Sharing: Equatable {
        /// A piece of every operation, as libtorch shares it.
        case none
        /// Up to so many pictures, from the patches to the last norm: nothing waits for anything in between.
        case pictures(Int)
    }

    // The largest part whose activations fit a core's cache, and the smallest whose products are as fast as larger ones'.
    private static let picturesAPart = 4
    // Products of fewer rows than this wait for the weights.
    private static let fewestTokensAPart = 48

    /// The way of sharing that suits a batch.
    ///
    /// - Parameter images: `[batch, inChannels, imageHeight, imageWidth]`.
    /// - Returns: ``Sharing/none`` while gradients are recorded and away from oneDNN's kernels.
    func sharing(of images: Tensor) -> Sharing {
        let policy = ComputePolicy.current
        let batch = images.shape.first ?? 0
        let threads = Libtorch.threadCount
        guard batch > 0, threads > 1, !isTraining, !isGradientEnabled, images.device == .cpu,
            policy.linear == .oneDNN
        else { return .none }
        if batch >= threads {
            return .pictures(min(Self.picturesAPart, (batch + threads - 1) / threads))
        }
        // Sharing by tokens measured a little slower than libtorch's sharing of every operation, though a prototype gains.
        return batch > 1 ? .pictures(1) : .none
    }

    /// The ranges of a picture's tokens that threads would take, or nil where they would be too small.
    ///
    /// - Parameter parts: The number of ranges.
    /// - Returns: The ranges, in order.
    func tokenRanges(_ parts: Int) -> [Range<Int>]? {
        let tokens = configuration.prefixTokenCount + configuration.patchCount
        guard parts > 0, tokens / parts >= Self.fewestTokensAPart else { return nil }
        return (0..<parts).map { tokens * $0 / parts..<tokens * ($0 + 1) / parts }
    }

    /// ``forwardFeatures(_:)``, a thread for each few pictures.
    func features(_ images: Tensor, picturesAPart size: Int) throws(TorchError) -> Tensor {
        let batch = images.shape.first ?? 0
        let parts = try parallelMap((batch + size - 1) / size) { (part) throws(TorchError) in
            let start = part * size
            return try wholeFeatures(images.narrowed(0, start..<min(start + size, batch)))
        }
        return try Tensor.cat(parts, dim: 0)
    }

    /// ``forwardFeatures(_:)``, a thread for each of these ranges of a picture's tokens.
    func features(_ images: Tensor, tokensIn ranges: [Range<Int>]) throws(TorchError) -> Tensor {
        let embedded = try embed(patchEmbed(images))
        let (batch, tokens, width) = try embedded.shape3()
        let count = batch * ranges.count
        func picture(_ part: Int) -> Range<Int> {
            let index = part / ranges.count
            return index..<index + 1
        }
        func range(_ part: Int) -> Range<Int> { ranges[part % ranges.count] }
        let dtype = autocastDType(on: .cpu) ?? embedded.dtype
        // One is read while the next is written.
        var (fused, next) = (
            try Tensor.zeros([batch, tokens, 3 * width], dtype: dtype),
            try Tensor.zeros([batch, tokens, 3 * width], dtype: dtype)
        )
        var parts = try parallelMap(count) { (part) throws(TorchError) in
            let x = try embedded.narrowed(0, picture(part)).narrowed(1, range(part))
            try project(x, with: blocks.first, to: fused, picture(part), range(part))
            return x
        }
        for index in blocks.indices {
            parts = try parallelMap(count) { [parts, fused, next] (part) throws(TorchError) in
                let x = try blocks[index].finished(
                    parts[part],
                    fused.narrowed(0, picture(part)),
                    queries: range(part)
                )
                let following = blocks.indices.contains(index + 1) ? blocks[index + 1] : nil
                try project(x, with: following, to: next, picture(part), range(part))
                return following == nil ? try norm(x) : x
            }
            swap(&fused, &next)
        }
        let pictures = try (0..<batch).map { (picture) throws(TorchError) in
            let first = picture * ranges.count
            return try Tensor.cat(Array(parts[first..<first + ranges.count]), dim: 1)
        }
        return pictures.count == 1 ? pictures[0] : try Tensor.cat(pictures, dim: 0)
    }

    private func project(
        _ x: Tensor,
        with block: Block?,
        to fused: Tensor,
        _ picture: Range<Int>,
        _ tokens: Range<Int>
    ) throws(TorchError) {
        guard let block else { return }
        try fused.narrowed(0, picture).narrowed(1, tokens).copy(from: block.projected(x))
    }
}

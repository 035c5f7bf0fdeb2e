internal import CTorch

extension Functional {
    /// What follows a convolution.
    public enum Activation: Int32, Sendable {
        /// Nothing.
        case none = 0

        /// The positive part.
        case relu

        /// The positive part, at most 6: networks made for 8-bit numbers have it.
        case relu6

        /// Returns the activated tensor, of the same shape.
        public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
            switch self {
            case .none: x
            case .relu: try Functional.relu(x)
            case .relu6: try Functional.relu6(x)
            }
        }
    }

    /// The positive part of every element, at most 6.
    public static func relu6(_ x: Tensor) throws(TorchError) -> Tensor {
        try tensor("relu6") { ct_relu6(x.handle, $0) }
    }

    /// Zeros around images.
    ///
    /// - Parameters:
    ///   - x: `[batch, channels, height, width]`.
    ///   - left: How many columns come before, in pixels.
    ///   - right: How many columns come after.
    ///   - top: How many rows come before.
    ///   - bottom: How many rows come after.
    /// - Returns: `[batch, channels, top + height + bottom, left + width + right]`.
    /// - Throws: ``TorchError`` when the shape does not fit.
    public static func pad2d(
        _ x: Tensor,
        left: Int,
        right: Int,
        top: Int,
        bottom: Int
    ) throws(TorchError) -> Tensor {
        try tensor("pad") {
            ct_pad2d(x.handle, Int64(left), Int64(right), Int64(top), Int64(bottom), $0)
        }
    }

    /// Filters in the order in which oneDNN reads them fastest, for ``conv2dPacked(_:_:_:_:_:)`` only.
    ///
    /// - Parameters:
    ///   - weight: `[outChannels, inChannels / groups, height, width]` of `float32` or `bfloat16`.
    ///   - geometry: How the filters lie.
    ///   - input: The shape that inputs will have about.
    /// - Returns: The filters, whose elements cannot be read.
    /// - Throws: ``TorchError`` where oneDNN does not serve the type or the shape has no four sizes.
    public static func packedForConv2d(
        _ weight: Tensor,
        _ geometry: ConvolutionGeometry,
        input: [Int]
    ) throws(TorchError) -> Tensor {
        guard input.count == 4 else {
            throw TorchError(
                operation: "pack",
                message: "an input of shape \(input) is not a batch of images"
            )
        }
        return try tensor("pack") { out in
            input.map(Int64.init).withUnsafeBufferPointer { sizes in
                guard let base = sizes.baseAddress else { return 1 }
                return ct_pack_conv2d(
                    weight.handle,
                    Int64(geometry.stride),
                    Int64(geometry.padding),
                    Int64(geometry.groups),
                    base,
                    out
                )
            }
        }
    }

    /// A 2-D convolution with packed filters, without a gradient; on the CPU only.
    ///
    /// - Parameters:
    ///   - x: `[batch, inChannels, height, width]` of the filters' type.
    ///   - packed: What ``packedForConv2d(_:_:input:)`` returned.
    ///   - bias: `[outChannels]` of the filters' type.
    ///   - geometry: As the filters were packed.
    ///   - activation: What is done to the result.
    /// - Returns: `[batch, outChannels, …]`.
    /// - Throws: ``TorchError`` when the shapes do not fit.
    public static func conv2dPacked(
        _ x: Tensor,
        _ packed: Tensor,
        _ bias: Tensor?,
        _ geometry: ConvolutionGeometry,
        _ activation: Activation
    ) throws(TorchError) -> Tensor {
        try tensor("conv2d") {
            ct_conv2d_packed(
                x.handle,
                packed.handle,
                bias?.handle,
                Int64(geometry.stride),
                Int64(geometry.padding),
                Int64(geometry.groups),
                activation.rawValue,
                $0
            )
        }
    }
}

import CImageCodecs

/// How the images of one batch are mixed with their partners, and what becomes of their targets.
///
/// The partner of image `i` of `count` is image `count - 1 - i`.
///
/// ## Source
/// `timm/data/mixup.py, Mixup and mixup_target`.
public struct MixingPlan: Sendable, Equatable {
    /// What happens to one image.
    public struct Mix: Sendable, Equatable {
        /// Nothing.
        public static let none = Mix(share: 1, single: false)

        /// The image's own share, 0 to 1, of the target and, in Mixup, of every value.
        public let own: Float
        /// The partner's share.
        public let other: Float
        /// The part that CutMix takes from the partner; `nil` for Mixup.
        public let box: Region?

        /// Creates a Mixup.
        ///
        /// - Parameters:
        ///   - share: The image's own share, 0 to 1.
        ///   - single: Whether the partner's share is found in single precision, as timm does for single images.
        init(share: Double, single: Bool) {
            own = Float(share)
            other = single ? 1 - Float(share) : Float(1 - share)
            box = nil
        }

        /// Creates a CutMix, whose shares are those of the area.
        init(box: Region, height: Int, width: Int, single: Bool) {
            let share = 1 - Double(box.height * box.width) / Double(height * width)
            own = Float(share)
            other = single ? 1 - Float(share) : Float(1 - share)
            self.box = box
        }
    }

    /// What happens to each image.
    public let mixes: [Mix]
    /// The rows of an image.
    public let height: Int
    /// The columns of an image.
    public let width: Int

    /// The number of images.
    public var count: Int { mixes.count }

    init(mixes: [Mix], height: Int, width: Int) {
        self.mixes = mixes
        self.height = height
        self.width = width
    }

    /// The plan of some images of the batch, which has the partner of each of them too.
    ///
    /// - Parameter places: Their places in the batch, such that the last one's partner is the first, and so on inwards.
    /// - Returns: The plan for those images alone.
    package func part(_ places: [Int]) -> MixingPlan {
        MixingPlan(mixes: places.map { mixes[$0] }, height: height, width: width)
    }

    /// CutMix's rectangle: a square part of the share `1 - share`, cut off at the image's border.
    ///
    /// - Parameters:
    ///   - share: The share that the image keeps, 0 to 1.
    ///   - centerRow: The row of the rectangle's middle.
    ///   - centerColumn: The column of the rectangle's middle.
    ///   - height: The image's rows.
    ///   - width: The image's columns.
    ///   - single: Whether sides are found in single precision, as timm does for single images.
    /// - Returns: The rectangle, perhaps empty.
    static func box(
        share: Double,
        centerRow: Int,
        centerColumn: Int,
        height: Int,
        width: Int,
        single: Bool
    ) -> Region {
        func side(_ whole: Int) -> Int {
            single
                ? Int(Float(whole) * (1 - Float(share)).squareRoot())
                : Int(Double(whole) * (1 - share).squareRoot())
        }
        let (rows, columns) = (side(height), side(width))
        let top = max(0, centerRow - rows / 2)
        let left = max(0, centerColumn - columns / 2)
        return Region(
            top: top,
            left: left,
            height: min(height, centerRow + (rows + 1) / 2) - top,
            width: min(width, centerColumn + (columns + 1) / 2) - left
        )
    }

    /// Mixes a batch in place.
    ///
    /// - Parameters:
    ///   - values: The batch, `[count, channels, height, width]`.
    ///   - channels: The channels of an image.
    /// - Throws: ``ImageError/invalid(_:)`` when the batch has another size.
    public func apply(to values: inout [Float], channels: Int) throws(ImageError) {
        var failure: ImageError?
        values.withUnsafeMutableBufferPointer { buffer in
            do throws(ImageError) {
                try apply(to: buffer, channels: channels)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Mixes a batch in place.
    ///
    /// - Parameters:
    ///   - values: The batch, `[count, channels, height, width]`.
    ///   - channels: The channels of an image.
    /// - Throws: ``ImageError/invalid(_:)`` when the batch has another size.
    public func apply(
        to values: UnsafeMutableBufferPointer<Float>,
        channels: Int
    ) throws(ImageError) {
        let size = try Image.byteCount(height: height, width: width, channels: channels)
        let (whole, overflow) = size.multipliedReportingOverflow(by: count)
        guard !overflow, values.count == whole else {
            throw .invalid(
                "\(count) images of \(channels) channels and \(ImageSize(height: height, width: width)) do not fit \(values.count) values"
            )
        }
        guard let start = values.baseAddress else { return }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { spare in
            guard let original = spare.baseAddress else { return }
            for i in 0..<(count / 2) where mixes[i] != .none || mixes[count - 1 - i] != .none {
                let (first, second) = (start + i * size, start + (count - 1 - i) * size)
                original.update(from: first, count: size)
                mix(mixes[i], into: first, from: second, channels: channels)
                mix(mixes[count - 1 - i], into: second, from: original, channels: channels)
            }
        }
    }

    private func mix(
        _ mix: Mix,
        into values: UnsafeMutablePointer<Float>,
        from others: UnsafePointer<Float>,
        channels: Int
    ) {
        guard let box = mix.box else {
            if mix != .none {
                ic_mix(values, others, channels * height * width, mix.own, mix.other)
            }
            return
        }
        for channel in 0..<channels {
            for y in box.top..<(box.top + box.height) {
                let row = (channel * height + y) * width + box.left
                (values + row).update(from: others + row, count: box.width)
            }
        }
    }

    /// The targets of the mixed images.
    ///
    /// Each image alone has `1 - smoothing + smoothing / classes` for its class and `smoothing / classes` for the
    /// others; the mix has both images' targets by their shares.
    ///
    /// - Parameters:
    ///   - labels: The class of each image before mixing.
    ///   - classes: The number of classes.
    ///   - smoothing: The part of each target that all classes share, 0 up to 1.
    /// - Returns: The targets, `[count, classes]`, each of which sums to 1.
    /// - Throws: ``ImageError/invalid(_:)`` when a label is not a class or a number makes no sense.
    public func targets(
        labels: [Int],
        classes: Int,
        smoothing: Double
    ) throws(ImageError) -> [Float] {
        guard labels.count == count else {
            throw .invalid("\(labels.count) labels do not fit a batch of \(count) images")
        }
        guard classes > 0, (0..<1).contains(smoothing) else {
            throw .invalid(
                "targets need at least one class and a smoothing of at least 0 and less than 1, not \(classes) and \(smoothing)"
            )
        }
        if let label = labels.first(where: { !(0..<classes).contains($0) }) {
            throw .invalid("label \(label) is not one of the \(classes) classes from 0")
        }
        let (size, overflow) = count.multipliedReportingOverflow(by: classes)
        guard !overflow, size <= Int(Int32.max) else {
            throw .invalid("the targets of \(count) images and \(classes) classes are too many")
        }
        let share = smoothing / Double(classes)
        let (off, on) = (Float(share), Float(1 - smoothing + share))
        var targets: [Float] = []
        targets.reserveCapacity(size)
        for (i, mix) in mixes.enumerated() {
            let start = targets.count
            let partner = labels[count - 1 - i]
            // The sums are formed in timm's order, so that they round alike.
            let both = off * mix.own + off * mix.other
            targets.append(contentsOf: repeatElement(both, count: classes))
            if labels[i] == partner {
                targets[start + partner] = on * mix.own + on * mix.other
            } else {
                targets[start + labels[i]] = on * mix.own + off * mix.other
                targets[start + partner] = off * mix.own + on * mix.other
            }
        }
        return targets
    }

    /// The targets of images that have any number of labels: for each label `1 - smoothing / 2`, for the other classes
    /// `smoothing / 2`.
    ///
    /// - Parameters:
    ///   - labels: The classes of each image, from 0; none for an image that shows no class.
    ///   - classes: The number of classes.
    ///   - smoothing: How far each target is moved towards one half, 0 up to 1.
    /// - Returns: The targets, `[count, classes]`.
    ///
    /// ## Source
    /// timm 1.0.31, `mixup_target` with `multi_label`, and `BinaryCrossEntropy` with `smooth_dense`.
    public static func multiLabelTargets(
        labels: [[Int]],
        classes: Int,
        smoothing: Double
    ) -> [Float] {
        let off = Float(0.5 * smoothing)
        let on = Float(1 - smoothing) + off
        var targets = [Float](repeating: off, count: labels.count * classes)
        for (image, labels) in labels.enumerated() {
            for label in labels where (0..<classes).contains(label) {
                targets[image * classes + label] = on
            }
        }
        return targets
    }

    /// The targets of the mixed images out of those of each alone, class by class.
    ///
    /// - Parameters:
    ///   - targets: The targets before mixing, `[count, classes]`.
    ///   - classes: The number of classes.
    /// - Returns: The targets, `[count, classes]`.
    /// - Throws: ``ImageError/invalid(_:)`` when their number does not fit the batch.
    ///
    /// ## Source
    /// timm 1.0.31, `mixup_target` with `multi_label`.
    public func mixed(targets: [Float], classes: Int) throws(ImageError) -> [Float] {
        guard targets.count == count * classes else {
            throw .invalid(
                "\(targets.count) targets do not fit a batch of \(count) images and \(classes) classes"
            )
        }
        var mixed: [Float] = []
        mixed.reserveCapacity(targets.count)
        for (image, mix) in mixes.enumerated() {
            let (own, other) = (image * classes, (count - 1 - image) * classes)
            for label in 0..<classes {
                mixed.append(targets[own + label] * mix.own + targets[other + label] * mix.other)
            }
        }
        return mixed
    }
}

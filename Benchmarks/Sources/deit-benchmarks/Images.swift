import CBaseline
import ImagePipeline
import Torch

/// Decoding JPEGs beside plain libjpeg-turbo, and on the way into a resize beside decoding all of them first.
@ModelActor
func measureDecode() throws {
    print("Decoding, one thread, 16 images")
    let images = try Images()
    let most = images.images.map(\.pixels.count).max() ?? 0
    var buffer = [UInt8](repeating: 0, count: most)
    try Comparison.measure("decode", against: "plain libjpeg-turbo", atLeast: 0.8) {
        for file in images.files { _ = try Image(decoding: file) }
    } _: {
        for file in images.files {
            let status = baseline_jpeg_decode(file, file.count, &buffer, most)
            guard status == 0 else { throw ImageError.invalid("libjpeg-turbo refused an image") }
        }
    }
    let processor = try ImageProcessor.deit()
    let files = try images.files.map { try EncodedImage($0) }
    let scratch = ImageScratch()
    try Comparison.measure("decode, resize and crop", against: "one by one", atLeast: 0.95) {
        for file in files { _ = try processor.prepare(file, scratch: scratch) }
    } _: {
        for file in files { _ = try processor.prepare(file.decoded()) }
    }
}

/// Resizing to 224 × 224 beside libtorch's resize of bytes with antialiasing, the best that it has.
@ModelActor
func measureResize() throws {
    print("Resizing to 224 × 224, one thread, 16 images")
    let images = try Images().images
    let tensors = try images.map { image in
        try image.pixels.withUnsafeBytes { bytes in
            try Tensor(bytes: bytes, dtype: .uint8, shape: [1, image.height, image.width, 3])
                .permuted([0, 3, 1, 2])
        }
    }
    let threads = Libtorch.threadCount
    try Libtorch.setThreadCount(1)
    defer { try? Libtorch.setThreadCount(threads) }
    let ways: [(Interpolation, Functional.Resampling)] = [
        (.bilinear, .bilinear), (.bicubic, .bicubic),
    ]
    for (interpolation, resampling) in ways {
        try Comparison.measure(
            "resize, \(interpolation.rawValue)",
            against: "libtorch, of bytes",
            atLeast: interpolation == .bilinear ? 0.6 : 0.55
        ) {
            for image in images {
                _ = try image.resized(height: 224, width: 224, interpolation: interpolation)
            }
        } _: {
            for tensor in tensors {
                _ = try Functional.resize2d(
                    tensor,
                    height: 224,
                    width: 224,
                    resampling: resampling,
                    antialias: true
                )
            }
        }
    }
}

/// DeiT's RandAugment of images of 224 × 224 beside decoding the same images.
@ModelActor
func measureAugment() throws {
    print("Augmenting, one thread, 16 images")
    let images = try Images()
    let small = try images.images.map {
        try $0.resized(height: 224, width: 224, interpolation: .bicubic)
    }
    let processor = try ImageProcessor.deit()
    let augment = try ImageOperation.augmentation(
        parsing: "rand-m9-mstd0.5-inc1",
        mean: processor.mean,
        interpolation: .bicubic
    )
    let transform = try TrainingTransform(
        operations: [augment],
        mean: processor.mean,
        std: processor.std
    )
    // What is drawn depends on the image's index alone, so that every run does the same work.
    try Comparison.measure("RandAugment m9, 224 × 224", against: "decode", atLeast: 5) {
        for (index, image) in small.enumerated() {
            var generator = SplitMix64(seed: 0, epoch: 0, index: index)
            _ = try transform.augment(image, using: &generator)
        }
    } _: {
        for file in images.files { _ = try Image(decoding: file) }
    }
}

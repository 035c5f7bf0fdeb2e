import ImagePipeline

/// A batch that grows by one picture at a time.
struct BatchBuilder {
    let capacity: Int
    let channels: Int
    var pixels: [Float] = []
    var labels: [Int] = []
    var indices: [Int] = []
    var height = 0
    var width = 0
    /// What is wrong with the transform, which is not the picture's fault.
    var mismatch: String?

    init(capacity: Int, channels: Int) {
        self.capacity = capacity
        self.channels = channels
    }

    var batch: ImageBatch {
        ImageBatch(
            pixels: labels.count == capacity
                ? pixels : Array(pixels.prefix(labels.count * sampleSize)),
            labels: labels,
            indices: indices,
            channels: channels,
            height: height,
            width: width
        )
    }

    private var sampleSize: Int { channels * height * width }

    mutating func append(
        label: Int,
        index: Int,
        size: (height: Int, width: Int),
        write: (UnsafeMutableBufferPointer<Float>) throws(ImageError) -> Void
    ) throws(ImageError) {
        if labels.isEmpty {
            (height, width) = size
            pixels = [Float](repeating: 0, count: capacity * sampleSize)
        }
        guard size == (height, width) else {
            mismatch =
                "pictures of one batch become \(height) × \(width) and \(size.height) × \(size.width) pixels;"
                + " the transform needs a crop or an exact size"
            return
        }
        let start = labels.count * sampleSize
        let sample = sampleSize
        let result = pixels.withUnsafeMutableBufferPointer { buffer in
            Result { () throws(ImageError) in
                try write(UnsafeMutableBufferPointer(rebasing: buffer[start..<(start + sample)]))
            }
        }
        try result.get()
        labels.append(label)
        indices.append(index)
    }
}

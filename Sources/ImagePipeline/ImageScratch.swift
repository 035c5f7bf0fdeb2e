/// Memory for images in the making that is used again from image to image; for one task at a time.
public final class ImageScratch {
    /// More than this is given back after use: one panorama must not hold on to memory for the rest of a run.
    static let keptBytes = 16 << 20

    private var buffers: [UnsafeMutableBufferPointer<UInt8>] = []

    /// Creates scratch memory that grows as needed.
    public init() {
        buffers = Array(repeating: UnsafeMutableBufferPointer(start: nil, count: 0), count: 2)
    }

    deinit {
        for buffer in buffers { buffer.deallocate() }
    }

    /// Hands out two pieces of memory with any content.
    func withBuffers<Result>(
        _ first: Int,
        _ second: Int,
        _ body: (
            UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt8>
        ) throws(ImageError) -> Result
    ) throws(ImageError) -> Result {
        for (i, count) in [first, second].enumerated() where buffers[i].count < count {
            buffers[i].deallocate()
            buffers[i] = .allocate(capacity: count)
        }
        defer {
            for i in buffers.indices where buffers[i].count > ImageScratch.keptBytes {
                buffers[i].deallocate()
                buffers[i] = UnsafeMutableBufferPointer(start: nil, count: 0)
            }
        }
        guard let one = buffers[0].baseAddress, let other = buffers[1].baseAddress else {
            throw .invalid("not enough memory for an image")
        }
        return try body(one, other)
    }
}

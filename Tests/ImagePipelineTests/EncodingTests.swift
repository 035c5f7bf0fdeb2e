import ImagePipeline
import Testing

struct EncodingTests {
    @Test(arguments: [1, 3])
    func pngIsReadBackAsItWas(channels: Int) throws {
        var generator = SplitMix64(seed: 8)
        for (height, width) in [(1, 1), (7, 5), (33, 64)] {
            let image = try Image(
                height: height,
                width: width,
                channels: channels,
                pixels: (0..<(height * width * channels)).map { _ in
                    UInt8(truncatingIfNeeded: generator.next())
                }
            )
            let file = try image.encodedPNG()
            #expect(file.count > 8)
            #expect(try Image(decoding: file) == image)
        }
    }
}

extension Image {
    /// Whether the image is grey or RGB, which have kernels of their own.
    var hasUsualChannels: Bool { channels == 1 || channels == 3 }

    /// Changes each channel as a grey image of its own; all must get one size.
    mutating func changeChannels<E: Error>(
        _ change: (inout Image, _ channel: Int) throws(E) -> Void
    ) throws(E) {
        var parts: [Image] = []
        for channel in 0..<channels {
            var part = Image.filled(height: height, width: width, channels: 1) { buffer in
                for i in buffer.indices { buffer[i] = pixels[i * channels + channel] }
            }
            try change(&part, channel)
            parts.append(part)
        }
        guard let first = parts.first, parts.allSatisfy({ $0.pixels.count == first.pixels.count })
        else { return }
        let count = channels
        self = Image.filled(height: first.height, width: first.width, channels: count) { buffer in
            for (channel, part) in parts.enumerated() {
                for (i, sample) in part.pixels.enumerated() { buffer[i * count + channel] = sample }
            }
        }
    }
}
